import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { buildCaClient, signInAtCa } from '../../infra/ca/ca-testing.ts';
import {
  developmentClientSecret,
  startSimulator,
  type RunningSimulator,
} from '../../infra/ca/csc-simulator/server.ts';
import {
  newCredential,
  setSwitches,
  simulatorState,
} from '../../infra/ca/csc-simulator/testing.ts';
import { freePort } from '../../infra/development/ports.ts';
import { waitUntil } from '../../infra/development/wait-until.ts';
import { openDatabase, type Database } from '../../infra/postgres/pool.ts';
import { createSealer } from '../../infra/postgres/sealing.ts';
import { createTestDatabase, type TestDatabase } from '../../test/support/database.ts';
import { insertGrant, type TestGrant } from '../../test/support/grants.ts';
import { testParts } from '../../test/support/parts.ts';
import { parseExposition } from '../../test/support/prometheus.ts';
import { createAdministration } from '../shared/administration.ts';

const key = Buffer.alloc(32, 7);
const sealer = createSealer([{ id: 'test', key }]);
// PostgreSQL runs on this machine, whose clock the tests take for right.
const clock = { now: () => new Date() };

let owner: Database;
let testDatabase: TestDatabase;
let database: Database;
let simulator: RunningSimulator;
let certificate: { certificateId: string; accountId: string; operatorId: string };
let apiKey: string;
const children: ChildProcess[] = [];

beforeAll(async () => {
  owner = openDatabase({ url: testParts().postgresUrl, applicationName: 'gate test' });
  simulator = await startSimulator({ port: 0, withDefaultCredentials: false });
});
beforeEach(async () => {
  testDatabase = await createTestDatabase();
  database = openDatabase({ url: testDatabase.url, applicationName: 'gate test' });
  const administration = createAdministration({ database, clock, sealer });
  await administration.createAuthority({
    ...{ name: 'CA', clientId: 'certificate-access', clientSecret: developmentClientSecret },
    baseUri: `${simulator.url}/csc/v1`,
  });
  const { accountId } = await administration.createAccount({ name: 'Account' });
  const { operatorId } = await administration.createOperator({
    ...{ account: accountId, email: 'rita@example.com', name: 'Rita' },
  });
  ({ apiKey } = await administration.createApiKey({ account: accountId, name: 'signer' }));
  const { credentialID, subject, issuer, serial } = await newCredential(simulator.url, {});
  const { certificateId } = await administration.createCertificate({
    ...{ account: accountId, authority: 'CA', alias: 'Seal', subject, issuer, serial },
    ...{ notAfter: '2099-01-01T00:00:00Z', credentialId: credentialID, caAccount: 'ana' },
  });
  await administration.createClientService({ certificateId, alias: 'Invoicing' });
  certificate = { certificateId, accountId, operatorId };
});
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await database.end();
  await testDatabase.drop();
});
afterAll(async () => {
  await simulator.close();
  await owner.end();
});

const grant = (terms: Partial<TestGrant> & Pick<TestGrant, 'expiresAt'>): Promise<string> =>
  insertGrant(database, sealer, {
    ...certificate,
    ...{ effectiveAt: new Date(Date.now() - 60_000), ...terms },
  });

/** The gate as it runs, ready. */
async function startGate(env: Readonly<Record<string, string>> = {}) {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const main = fileURLToPath(new URL('./main.ts', import.meta.url));
  const child = spawn(process.execPath, ['--import', 'tsx', main], {
    env: {
      NODE_ENV: 'test',
      GATE_PORT: String(port),
      DATABASE_URL: testDatabase.url,
      SEALING_KEYS: `test:${key.toString('base64')}`,
      ...env,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  let log = '';
  child.stdout.on('data', (bytes: Buffer) => (log += bytes.toString()));
  const ask = async (method: string, path: string, body?: object) => {
    const response = await fetch(url + path, {
      method,
      headers: {
        authorization: `Bearer ${apiKey}`,
        ...(body && { 'content-type': 'application/json' }),
      },
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, text, json: () => JSON.parse(text) as unknown };
  };
  const of = `/v1/certificates/${certificate.certificateId}`;
  await waitUntil(async () => (await ask('GET', '/readyz')).status === 200, {
    what: 'the gate is not ready',
    deadlineMs: 30_000,
  });
  return {
    child,
    log: () => log,
    readyz: () => ask('GET', '/readyz'),
    access: () => ask('GET', `${of}/access`),
    activation: () => ask('POST', `${of}/activation`, { clientService: 'Invoicing' }),
    async figure(name: string): Promise<number> {
      const { status, text } = await ask('GET', '/metrics');
      expect(status).toBe(200);
      expect(parseExposition(text).has(name)).toBe(true);
      return Number(new RegExp(`^${name}\\{.*\\} (.*)$`, 'm').exec(text)?.[1]);
    },
  };
}

/** Makes PostgreSQL refuse every connection to the database, or take them again. */
async function letIn(isLetIn: boolean): Promise<void> {
  const name = new URL(testDatabase.url).pathname.slice(1);
  await owner.query(`alter database ${name} with allow_connections ${String(isLetIn)}`);
  if (isLetIn) return;
  await owner.query(
    'select pg_terminate_backend(a.pid) from pg_stat_activity as a where a.datname = $1',
    [name],
  );
}

describe('the gate as a process', () => {
  it('says yes until the second in which the grant expires and not after it, on hosts whose clocks are minutes slow and fast', async () => {
    const gates = await Promise.all(
      ['-420', '420'].map((seconds) => startGate({ TEST_CLOCK_OFFSET_SECONDS: seconds })),
    );
    const expiresAt = new Date(Math.ceil(Date.now() / 1000) * 1000 + 2_000);
    await grant({ expiresAt });
    await Promise.all(
      gates.map(async ({ access }) => {
        let yes = 0;
        for (;;) {
          const askedAt = Date.now();
          const { maySign, reason } = (await access()).json() as {
            maySign: boolean;
            reason: string | null;
          };
          if (maySign) {
            yes += 1;
            expect(askedAt).toBeLessThan(expiresAt.getTime() + 50);
          } else if (reason !== 'never_granted') {
            expect(reason).toBe('grant_expired');
            // Answered by then, so it was no sooner.
            expect(Date.now()).toBeGreaterThan(expiresAt.getTime() - 50);
            break;
          }
        }
        expect(yes).toBeGreaterThan(0);
      }),
    );
    for (const [gate, skew] of [
      [gates[0]!, 420],
      [gates[1]!, -420],
    ] as const) {
      expect(Math.abs((await gate.figure('clock_skew_seconds')) - skew)).toBeLessThan(1);
      expect(gate.log().split("this host's clock is wrong")).toHaveLength(2);
    }
  });

  it('refuses while its clock cannot be measured, says so, shows what it knows, and goes on when it can', async () => {
    await grant({ expiresAt: new Date(Date.now() + 3_600_000) });
    const gate = await startGate({ CLOCK_STALE_SECONDS: '1', TEST_CLOCK_OFFSET_SECONDS: '-420' });
    expect((await gate.access()).json()).toMatchObject({ maySign: true });
    await letIn(false);
    const refused = await waitUntil(
      async () => {
        const answer = await gate.access();
        return answer.status === 503 && answer;
      },
      { what: 'it does not refuse', deadlineMs: 20_000 },
    );
    // The picture is good for 30 s: it is the clock.
    expect(refused.json()).toMatchObject({ code: 'unavailable' });
    expect((await gate.readyz()).json()).toMatchObject({
      status: 'not_ready',
      dependencies: {
        postgres: { ok: false, required: true },
        clock: { ok: false, required: true, detail: expect.stringContaining('was not measured') },
        picture: { ok: true, required: true },
        ca: { ok: true, required: false, detail: 'not used yet' },
      },
    });
    expect(await gate.figure('postgres_reachable')).toBe(0);
    expect(await gate.figure('clock_measured_age_seconds')).toBeGreaterThan(1);
    await waitUntil(() => gate.log().includes('the clock cannot be measured'), {
      what: 'it does not say so',
      deadlineMs: 10_000,
    });
    await letIn(true);
    await waitUntil(async () => (await gate.access()).status === 200, {
      what: 'it does not go on',
      deadlineMs: 20_000,
    });
    expect(await gate.figure('postgres_reachable')).toBe(1);
  });

  it('told to stop while it refreshes a token, hands out the activation and ends in order; at once when told twice', async () => {
    const { accessToken, refreshToken } = await signInAtCa(buildCaClient(simulator.url));
    await grant({
      expiresAt: new Date(Date.now() + 3_600_000),
      tokens: { accessToken, ...(refreshToken && { refreshToken }) },
      tokensExpireAt: new Date(Date.now() + 30_000),
    });
    const [gate, impatient] = await Promise.all([startGate(), startGate()]);
    await setSwitches(simulator.url, { faults: [{ method: 'oauth2/token', delayMs: 1_500 }] });
    const asked = gate.activation();
    await waitUntil(
      async () => {
        const { rows } = await database.query(
          `select from pg_locks as l where l.relation = 'access_grants'::regclass and l.mode = 'RowShareLock'`,
        );
        return rows.length > 0;
      },
      { what: 'no refresh under way', deadlineMs: 10_000 },
    );
    const exited = once(gate.child, 'exit');
    gate.child.kill('SIGTERM');
    await waitUntil(
      () =>
        gate.access().then(
          () => false,
          () => true,
        ),
      { what: 'newcomers are still let in', deadlineMs: 10_000 },
    );
    expect(gate.child.exitCode).toBeNull();
    const { status, json } = await asked;
    expect(status).toBe(200);
    expect((json() as { accessToken: string }).accessToken).not.toBe(accessToken);
    expect(await exited).toEqual([0, null]);
    expect(gate.log()).toContain('gate has stopped');

    await setSwitches(simulator.url, { faults: [{ method: 'info', delayMs: 8_000 }] });
    const cut = impatient.activation().catch(() => 'cut off');
    const isAsked = async () => {
      const { calls } = await simulatorState(simulator.url);
      return calls.some(({ method, outcome }) => method === 'info' && outcome === 'in progress');
    };
    await waitUntil(isAsked, { what: 'the CA is not asked', deadlineMs: 10_000 });
    const ended = once(impatient.child, 'exit');
    impatient.child.kill('SIGTERM');
    await waitUntil(() => impatient.log().includes('gate is stopping'), {
      what: 'it does not stop',
      deadlineMs: 10_000,
    });
    impatient.child.kill('SIGTERM');
    expect(await ended).toEqual([1, null]);
    expect(await cut).toBe('cut off');
    expect(impatient.log()).toContain('was told to stop twice and ends at once');
  });
});
