import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { freePort } from '../../infra/development/ports.ts';
import {
  accessSnapshot,
  goToCaAndBack,
  obtainGrant,
  open,
  operatorPassword,
  sealingKey,
  startTestBackoffice,
  typedFactors,
  type TestBackoffice,
} from '../../test/support/backoffice.ts';
import { testParts } from '../../test/support/parts.ts';
import { createOperatorDriver, type OperatorDriver } from '../stack/operator-driver.ts';

const mainFile = fileURLToPath(new URL('./main.ts', import.meta.url));
let backoffice: TestBackoffice;
let processes: ChildProcess[] = [];

beforeAll(async () => {
  backoffice = await startTestBackoffice();
});
afterEach(() => {
  for (const child of processes) child.kill('SIGKILL');
  processes = [];
});
afterAll(() => backoffice.close());

const until = async (what: string, holds: () => Promise<boolean>): Promise<void> => {
  const deadline = Date.now() + 20_000;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`${what}: not within 20 s`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
};

/** The service as it runs, on the same database and CA as the one inside the test. */
async function startProcess(
  temporal: Record<string, string>,
): Promise<{ child: ChildProcess; ana: OperatorDriver }> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const child = spawn(process.execPath, ['--import', 'tsx', mainFile], {
    env: {
      NODE_ENV: 'test',
      BACKOFFICE_PORT: String(port),
      PUBLIC_URL: url,
      DATABASE_URL: backoffice.databaseUrl,
      SEALING_KEYS: `${sealingKey.id}:${sealingKey.key.toString('base64')}`,
      PARENT_WATCH: '1',
      ...temporal,
    },
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  processes.push(child);
  await until('ready', () =>
    fetch(`${url}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    ),
  );
  const ana = createOperatorDriver(url);
  await ana.signIn('ana@loja.example', operatorPassword);
  return { child, ana };
}

/** How many signals to the workflow of a renewal were written, and how many of them delivered. */
async function signalsOf(renewalId: string) {
  const { rows } = await backoffice.database.query<{ written: number; delivered: number }>(
    `select count(*) as written, count(o.delivered_at) as delivered from outbox as o
     where o.destination = 'temporal' and o.subject = $1`,
    [renewalId],
  );
  return rows[0] ?? { written: 0, delivered: 0 };
}

const noTemporal = { TEMPORAL_ADDRESS: '127.0.0.1:1' };

describe('the process', () => {
  it('renews with Temporal down; killed while the CA is asked, it leaves the old grant and no second try', async () => {
    const { child, ana } = await startProcess(noTemporal);
    const certificate = await backoffice.newCertificate({ services: 1 });
    const first = await obtainGrant(backoffice, ana, certificate);
    const before = await accessSnapshot(backoffice, certificate);
    // Requested, code requested, the CA asked, granted: kept until Temporal is back.
    expect(await signalsOf(first)).toEqual({ written: 4, delivered: 0 });

    const id = await goToCaAndBack(ana, certificate);
    const faults = [{ method: 'credentials/authorize', delayMs: 1_500, times: 1 }];
    await backoffice.switchCa(certificate.credentialId, { faults });
    const asking = ana.authorize(id, await typedFactors(backoffice, certificate)).catch(() => null);
    const here = await backoffice.signedIn('ana');
    const stateOf = async () => ((await here.renewal(id)).body as { state: string }).state;
    await until('asked', async () => (await stateOf()) === 'authorizing');
    child.kill('SIGKILL');
    await once(child, 'exit');
    await asking;

    expect(await here.openRenewal(certificate.certificateId)).toMatchObject({
      status: 409,
      body: { code: 'renewal_authorizing' },
    });
    // 20 s to find the CA, 20 s for the call, 30 s of grace.
    backoffice.clock.advance(70);
    await obtainGrantAgain(here);
    expect((await here.renewal(id)).body).toMatchObject({
      state: 'outcome_unknown',
      triesLeft: 2,
      outcome: { code: 'answer_lost' },
    });

    async function obtainGrantAgain(driver: OperatorDriver): Promise<void> {
      expect(await accessSnapshot(backoffice, certificate)).toEqual(before);
      await obtainGrant(backoffice, driver, certificate);
    }
  });

  it('delivers its signals to Temporal, and stops when it is told to', async () => {
    const { temporalAddress, temporalNamespace } = testParts();
    const { child, ana } = await startProcess({
      TEMPORAL_ADDRESS: temporalAddress,
      TEMPORAL_NAMESPACE: temporalNamespace,
    });
    const certificate = await backoffice.newCertificate();
    const { id } = await open(ana, certificate);
    await until('delivered', async () => (await signalsOf(id)).delivered === 1);
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
  });
});
