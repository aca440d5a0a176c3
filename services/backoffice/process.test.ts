import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { freePort } from '../../infra/development/ports.ts';
import { createConsequences } from '../../infra/postgres/consequences.ts';
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
import { openDoor } from '../../test/support/door.ts';
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
): Promise<{ child: ChildProcess; ana: OperatorDriver; url: string }> {
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
  return { child, ana, url };
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

  it('on a host whose clock is wrong, told to stop while the CA is asked, ends the events, lets nobody in, and records the grant', async () => {
    const { child, ana, url } = await startProcess({
      ...noTemporal,
      TEST_CLOCK_OFFSET_SECONDS: '-420',
    });
    const certificate = await backoffice.newCertificate({ services: 1 });
    const id = await goToCaAndBack(ana, certificate);
    const events = ana.browser.open(`${url}/api/events`).then(
      () => 'ended',
      () => 'ended',
    );
    const faults = [{ method: 'credentials/authorize', delayMs: 1_500, times: 1 }];
    await backoffice.switchCa(certificate.credentialId, { faults });
    // By the clock of this machine, which is PostgreSQL's.
    const calledAt = new Date();
    const asking = ana.authorize(id, await typedFactors(backoffice, certificate));
    const here = await backoffice.signedIn('ana');
    const stateOf = async () => ((await here.renewal(id)).body as { state: string }).state;
    await until('asked', async () => (await stateOf()) === 'authorizing');

    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    expect(await events).toBe('ended');
    await until('closed to newcomers', () =>
      fetch(`${url}/healthz`).then(
        () => false,
        () => true,
      ),
    );
    expect(await stateOf()).toBe('authorizing');
    const answer = await asking;
    expect(answer.status).toBe(200);
    expect(answer.headers.get('connection')).toBe('close');
    expect(await exited).toEqual([0, null]);
    expect(await stateOf()).toBe('granted');
    const { rows } = await backoffice.database.query<{ off: number }>(
      'select abs(extract(epoch from g.effective_at - $2))::float8 as off from access_grants as g where g.grant_id = $1',
      [id, calledAt],
    );
    expect(rows[0]?.off).toBeLessThan(5);
  });

  it('told to stop with a CA that takes longer than it has, ends in time, and the renewal ends as one whose answer was lost', async () => {
    const silent = await openDoor();
    const { child, ana } = await startProcess({
      TEMPORAL_ADDRESS: `127.0.0.1:${silent.port}`,
      SHUTDOWN_GRACE_SECONDS: '2',
    });
    const certificate = await backoffice.newCertificate();
    const id = await goToCaAndBack(ana, certificate);
    const before = await accessSnapshot(backoffice, certificate);
    const faults = [{ method: 'credentials/authorize', delayMs: 15_000, times: 1 }];
    await backoffice.switchCa(certificate.credentialId, { faults });
    const asking = ana.authorize(id, await typedFactors(backoffice, certificate)).then(
      () => 'answered',
      () => 'cut off',
    );
    const here = await backoffice.signedIn('ana');
    const renewal = async () => (await here.renewal(id)).body as { state: string };
    await until('asked', async () => (await renewal()).state === 'authorizing');
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    expect(await exited).toEqual([0, null]);
    expect(await asking).toBe('cut off');
    expect(await renewal()).toMatchObject({ state: 'authorizing' });
    backoffice.clock.advance(70);
    await createConsequences(backoffice.store).closeRenewal(id);
    expect(await renewal()).toMatchObject({
      state: 'outcome_unknown',
      outcome: { code: 'answer_lost' },
    });
    expect(await accessSnapshot(backoffice, certificate)).toEqual(before);
    await silent.close();
  });

  it('told to stop while it starts, with a database that does not answer, ends in order', async () => {
    const silent = await openDoor();
    const child = spawn(process.execPath, ['--import', 'tsx', mainFile], {
      env: {
        NODE_ENV: 'test',
        DATABASE_URL: `postgres://nobody@127.0.0.1:${silent.port}/none`,
      },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    processes.push(child);
    let output = '';
    child.stdout.on('data', (bytes: Buffer) => (output += bytes.toString()));
    await silent.called;
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    expect(await exited).toEqual([0, null]);
    expect(output).toContain('was told to stop before it had started');
    await silent.close();
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
