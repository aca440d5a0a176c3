import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
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
import { waitUntil } from '../../infra/development/wait-until.ts';
import { recordApiKeyUses } from '../../infra/postgres/api-keys.ts';
import { readGatePicture } from '../../infra/postgres/gate-picture.ts';
import { listenTo } from '../../infra/postgres/listen.ts';
import { openDatabase, type Database } from '../../infra/postgres/pool.ts';
import { createSealer, hashSecret } from '../../infra/postgres/sealing.ts';
import { regulationPolicy as policy } from '../../domain/policy.ts';
import { createTestDatabase, type TestDatabase } from '../../test/support/database.ts';
import { insertGrant, type TestGrant } from '../../test/support/grants.ts';
import { createAdministration, type Administration } from '../shared/administration.ts';
import { answerUnavailable } from '../shared/answer-unavailable.ts';
import { createCaClients } from '../shared/ca-clients.ts';
import { createHttpApp, type Listening } from '../shared/http.ts';
import { createLog } from '../shared/log.ts';
import { createMetrics } from '../shared/metrics.ts';
import { keepKeyUses, type KeyUses } from './key-uses.ts';
import { keepPicture, type Picture } from './picture.ts';
import { gateRoutes } from './routes.ts';

const sealer = createSealer([{ id: 'test', key: Buffer.alloc(32, 7) }]);
const grantedAt = new Date('2026-06-01T12:00:00Z');
const expiresAt = new Date('2026-07-31T12:00:00Z');

let testDatabase: TestDatabase;
let database: Database;
let simulator: RunningSimulator;
let administration: Administration;
let now = grantedAt;
let monotonicMs = 0;
let wallMs = 0;
const clock = { now: () => now };
let picture: Picture;
let uses: KeyUses;
let http: Listening;
let stopListening: () => Promise<void>;

/** An account with a key; each test has certificates of its own. */
let account: { accountId: string; operatorId: string; apiKey: string; apiKeyId: string };
let aliases = 0;

beforeAll(async () => {
  testDatabase = await createTestDatabase();
  database = openDatabase({ url: testDatabase.url, applicationName: 'gate test' });
  simulator = await startSimulator({ port: 0, withDefaultCredentials: false });
  administration = createAdministration({ database: testDatabase.as('admin'), clock, sealer });
  await administration.createAuthority({
    name: 'Simulated CA',
    baseUri: `${simulator.url}/csc/v1`,
    clientId: 'certificate-access',
    clientSecret: developmentClientSecret,
  });
  account = await enterAccount('First');
  picture = newPicture();
  const listening = listenTo(
    { url: testDatabase.urlAs('gate'), applicationName: 'gate test', channel: 'access_changed' },
    () => {
      picture.hasten();
    },
  );
  stopListening = () => listening.stop();
  uses = keepKeyUses({
    write: (written) => recordApiKeyUses(testDatabase.as('gate'), written),
    clock,
    everyMs: 3_600_000,
    onError: (error) => {
      throw error;
    },
  });
  http = await serveGate(testDatabase.as('gate'));
});

function newPicture(): Picture {
  return keepPicture({
    read: () => readGatePicture(testDatabase.as('gate'), now),
    now: () => now,
    host: { monotonicMs: () => monotonicMs, wallMs: () => wallMs },
    readEveryMs: 3_600_000,
    staleAfterMs: 30_000,
    onError: (error) => {
      throw error;
    },
  });
}

/** A gate that decides and writes in this database. */
function serveGate(
  deciding: Database,
  { activationsPerMinute = 1_000, seen = picture } = {},
): Promise<Listening> {
  const metrics = createMetrics('gate');
  const store = { database: deciding, clock, policy };
  const app = createHttpApp({
    log: createLog({ service: 'gate', level: 'silent' }),
    metrics,
    title: 'gate',
    version: '1',
    extraMiddleware: [answerUnavailable],
    routes: gateRoutes({
      store,
      sealer,
      caClients: createCaClients(sealer),
      picture: seen,
      metrics,
      uses,
      activationsPerMinute,
    }),
    checkResponses: true,
  });
  return app.listen({ port: 0 });
}

afterAll(async () => {
  await http.stop();
  await picture.stop();
  await uses.stop();
  await stopListening();
  await simulator.close();
  await database.end();
  await testDatabase.drop();
});

beforeEach(async () => {
  now = grantedAt;
  await setSwitches(simulator.url, { reset: true });
});

async function enterAccount(name: string) {
  const { accountId } = await administration.createAccount({ name });
  const { operatorId } = await administration.createOperator({
    account: accountId,
    email: `${name.toLowerCase()}@example.com`,
    name: 'Rita',
  });
  const { apiKey, apiKeyId } = await administration.createApiKey({
    account: accountId,
    name: 'signer',
  });
  return { accountId, operatorId, apiKey, apiKeyId };
}

async function enterCertificate(owner = account) {
  aliases += 1;
  const credential = await newCredential(simulator.url, { credentialID: `gate-${aliases}` });
  const { certificateId } = await administration.createCertificate({
    account: owner.accountId,
    authority: 'Simulated CA',
    alias: `certificate ${aliases}`,
    subject: credential.subject,
    issuer: credential.issuer,
    serial: credential.serial,
    notAfter: '2030-01-01T00:00:00Z',
    credentialId: credential.credentialID,
    caAccount: 'ana@cliente.example',
  });
  const { clientServiceId } = await administration.createClientService({
    certificateId,
    alias: 'Invoicing',
  });
  await picture.readNow();
  return { certificateId, clientServiceId, credentialId: credential.credentialID };
}

async function enterGranted(grant: Partial<TestGrant> = {}) {
  const certificate = await enterCertificate();
  const grantId = await insertGrant(database, sealer, {
    certificateId: certificate.certificateId,
    accountId: account.accountId,
    operatorId: account.operatorId,
    effectiveAt: grantedAt,
    expiresAt,
    ...grant,
  });
  await picture.readNow();
  return { ...certificate, grantId };
}

async function call(
  method: string,
  path: string,
  body?: object,
  apiKey = account.apiKey,
  gate = http,
) {
  const response = await fetch(new URL(path, gate.url), {
    method,
    headers: {
      authorization: `Bearer ${apiKey}`,
      ...(body && { 'content-type': 'application/json' }),
    },
    ...(body && { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

const access = (certificateId: string, query = '', apiKey?: string) =>
  call('GET', `/v1/certificates/${certificateId}/access${query}`, undefined, apiKey);
const activation = (certificateId: string, apiKey?: string, gate?: Listening) =>
  call(
    'POST',
    `/v1/certificates/${certificateId}/activation`,
    { clientService: 'Invoicing' },
    apiKey,
    gate,
  );

const newKey = (certificateIds?: readonly string[]) => {
  aliases += 1;
  return administration.createApiKey({
    account: account.accountId,
    name: `key ${aliases}`,
    ...(certificateIds && { certificateIds: [...certificateIds] }),
  });
};
const statuses = (answers: readonly { status: number }[]) =>
  answers.map(({ status }) => status).sort((a, b) => a - b);
async function auditOf(subject: string, action: string) {
  const { rows } = await database.query<{ actor: string; details: unknown }>(
    'select actor, details from audit_events where subject = $1 and action = $2 order by event_id',
    [subject, action],
  );
  return rows;
}

describe('may this certificate sign', () => {
  it('answers no, and why, for one that was never granted', async () => {
    const { certificateId } = await enterCertificate();
    expect(await access(certificateId)).toEqual({
      status: 200,
      body: {
        maySign: false,
        reason: 'never_granted',
        grantId: null,
        expiresAt: null,
        remaining: null,
        asOf: grantedAt.toISOString(),
      },
    });
  });

  it('answers yes up to the last millisecond and no from the expiry on, without having read anything in between', async () => {
    const { certificateId, grantId } = await enterGranted({ used: 5 });
    now = new Date(expiresAt.getTime() - 1);
    expect((await access(certificateId)).body).toMatchObject({
      maySign: true,
      reason: null,
      grantId,
      expiresAt: expiresAt.toISOString(),
      remaining: 999_999_995,
    });
    now = expiresAt;
    expect((await access(certificateId)).body).toMatchObject({
      maySign: false,
      reason: 'grant_expired',
    });
  });

  it('answers no once the last signature is used, told by the threshold itself', async () => {
    const { certificateId, grantId } = await enterGranted({ allowance: 10, used: 9 });
    expect((await access(certificateId)).body).toMatchObject({ maySign: true, remaining: 1 });
    await database.query('update usage_counters set used = 10 where grant_id = $1', [grantId]);
    await database.query('insert into usage_thresholds values ($1, 100, 10, $2)', [grantId, now]);
    await waitUntil(async () => (await access(certificateId)).body['maySign'] === false, {
      what: 'the gate refuses',
      deadlineMs: 5_000,
    });
    expect((await access(certificateId)).body).toMatchObject({
      reason: 'allowance_exhausted',
      remaining: 0,
    });
  });

  it.each([
    ['suspended', 'client_service_suspended'],
    ['inactive', 'client_service_inactive'],
  ])('needs a named client service to be active: %s', async (status, reason) => {
    const { certificateId, clientServiceId } = await enterGranted();
    await database.query('update client_services set status = $2 where client_service_id = $1', [
      clientServiceId,
      status,
    ]);
    await picture.readNow();
    for (const service of [clientServiceId, 'invoicing']) {
      expect((await access(certificateId, `?clientService=${service}`)).body).toMatchObject({
        maySign: false,
        reason,
      });
    }
    expect((await access(certificateId)).body).toMatchObject({ maySign: true });
  });

  it('refuses to answer when what it knows is older than 30 s', async () => {
    const { certificateId } = await enterGranted();
    monotonicMs += 30_000;
    expect((await access(certificateId)).status).toBe(200);
    monotonicMs += 1;
    expect(await access(certificateId)).toMatchObject({
      status: 503,
      body: { code: 'picture_stale' },
    });
    await picture.readNow();
    expect((await access(certificateId)).status).toBe(200);
  });

  it('refuses after its machine slept, although the monotonic clock stood still', async () => {
    const { certificateId } = await enterGranted();
    wallMs += 30_001;
    expect((await access(certificateId)).status).toBe(503);
    await picture.readNow();
    expect((await access(certificateId)).status).toBe(200);
  });
});

describe('who may ask', () => {
  it('nobody without a key, with an unknown key or with a revoked one', async () => {
    const { certificateId } = await enterGranted();
    const revoked = await administration.createApiKey({ account: account.accountId, name: 'old' });
    expect((await access(certificateId, '', revoked.apiKey)).status).toBe(200);
    await administration.revokeApiKey(revoked.apiKeyId);
    await picture.readNow();
    for (const key of ['', 'ca_unknown', revoked.apiKey]) {
      expect(await access(certificateId, '', key)).toMatchObject({
        status: 401,
        body: { code: 'api_key_refused' },
      });
    }
  });

  it('a key learns nothing of another account, nor of certificates outside its scope', async () => {
    const other = await enterAccount('Second');
    const { certificateId } = await enterGranted();
    const { certificateId: allowed } = await enterGranted();
    const scoped = await administration.createApiKey({
      account: account.accountId,
      name: 'scoped',
      certificateIds: [allowed],
    });
    expect((await access(allowed, '', scoped.apiKey)).status).toBe(200);
    const withoutInstance = ({
      status,
      body: { instance, ...body },
    }: Awaited<ReturnType<typeof access>>) => ({
      status,
      body,
      instance: typeof instance,
    });
    const unknown = withoutInstance(await access('no-such-certificate'));
    expect(unknown.status).toBe(404);
    expect(withoutInstance(await access(certificateId, '', other.apiKey))).toEqual(unknown);
    expect(withoutInstance(await access(certificateId, '', scoped.apiKey))).toEqual(unknown);
    expect(withoutInstance(await access(certificateId, '?clientService=nobody'))).toEqual(unknown);
  });
});

describe('a key that was rotated', () => {
  it('works with both secrets until the old one ends, to the millisecond and without anything being read', async () => {
    const { certificateId } = await enterGranted();
    const key = await newKey();
    const { apiKey: next, oldSecretEndsAt } = await administration.rotateApiKey(key.apiKeyId, {
      overlapHours: 1,
    });
    expect(oldSecretEndsAt).toEqual(new Date(grantedAt.getTime() + 3_600_000));
    now = new Date(oldSecretEndsAt.getTime() - 1);
    await picture.readNow();
    for (const secret of [key.apiKey, next]) {
      expect((await access(certificateId, '', secret)).status).toBe(200);
      expect((await activation(certificateId, secret)).status).toBe(200);
    }
    now = oldSecretEndsAt;
    expect((await access(certificateId, '', next)).status).toBe(200);
    for (const refused of [
      access(certificateId, '', key.apiKey),
      activation(certificateId, key.apiKey),
    ]) {
      expect(await refused).toMatchObject({ status: 401, body: { code: 'api_key_refused' } });
    }
  });

  it('keeps its id, name and scope', async () => {
    const { certificateId } = await enterGranted();
    const { certificateId: outside } = await enterGranted();
    const key = await newKey([certificateId]);
    const { apiKey } = await administration.rotateApiKey(key.apiKeyId);
    expect((await access(certificateId, '', apiKey)).status).toBe(200);
    expect((await access(outside, '', apiKey)).status).toBe(404);
    const [listed] = (await administration.listApiKeys(account.accountId)).filter(
      ({ apiKeyId }) => apiKeyId === key.apiKeyId,
    );
    expect(listed).toMatchObject({ name: key.name, certificateIds: [certificateId] });
  });

  it('rotated again, leaves each old secret the end that it had, or the new one where that is sooner', async () => {
    const { certificateId } = await enterGranted();
    const key = await newKey();
    const works = async (...secrets: string[]) => {
      await picture.readNow();
      const answers = await Promise.all(secrets.map((each) => access(certificateId, '', each)));
      return answers.map(({ status }) => status === 200);
    };
    const second = await administration.rotateApiKey(key.apiKeyId, { overlapHours: 2 });
    const third = await administration.rotateApiKey(key.apiKeyId, { overlapHours: 24 });
    const secrets = [key.apiKey, second.apiKey, third.apiKey];
    expect(await works(...secrets)).toEqual([true, true, true]);
    now = new Date(grantedAt.getTime() + 2 * 3_600_000);
    expect(await works(...secrets)).toEqual([false, true, true]);
    const last = await administration.rotateApiKey(key.apiKeyId, { overlapHours: 0 });
    expect(await works(...secrets, last.apiKey)).toEqual([false, false, false, true]);
  });

  it('is revoked with every secret of it', async () => {
    const { certificateId } = await enterGranted();
    const key = await newKey();
    const { apiKey } = await administration.rotateApiKey(key.apiKeyId);
    await administration.revokeApiKey(key.apiKeyId);
    await picture.readNow();
    for (const secret of [key.apiKey, apiKey]) {
      expect((await access(certificateId, '', secret)).status).toBe(401);
    }
  });
});

describe('a gate whose picture is old', () => {
  let seen: Picture;
  let gate: Listening;
  beforeEach(() => {
    seen = newPicture();
  });
  const serve = async () => {
    await seen.readNow();
    gate = await serveGate(testDatabase.as('gate'), { seen });
  };
  afterEach(async () => {
    await gate.stop();
    await seen.stop();
  });

  it('hands out nothing to a key that was revoked, and takes no report of it', async () => {
    const { certificateId, grantId } = await enterGranted();
    const { apiKey, apiKeyId } = await newKey();
    await serve();
    expect((await activation(certificateId, apiKey, gate)).status).toBe(200);
    await administration.revokeApiKey(apiKeyId);
    const refused = { status: 401, body: { code: 'api_key_refused' } };
    expect(await activation(certificateId, apiKey, gate)).toMatchObject(refused);
    const report = { grantId, caError: 'no' };
    const path = `/v1/certificates/${certificateId}/refusals`;
    expect(await call('POST', path, report, apiKey, gate)).toMatchObject(refused);
    expect(await auditOf(`access_grant:${grantId}`, 'ca_refusal_reported')).toEqual([]);
  });

  it('hands out nothing to a secret that was replaced without overlap', async () => {
    const { certificateId } = await enterGranted();
    const { apiKey, apiKeyId } = await newKey();
    await serve();
    await administration.rotateApiKey(apiKeyId, { overlapHours: 0 });
    expect((await activation(certificateId, apiKey, gate)).status).toBe(401);
  });

  it('hands out nothing of a certificate that was taken from the scope', async () => {
    const { certificateId } = await enterGranted();
    const { certificateId: kept } = await enterGranted();
    const { apiKey, apiKeyId } = await newKey([certificateId, kept]);
    await serve();
    await database.query('update api_keys set certificate_ids = $2 where api_key_id = $1', [
      apiKeyId,
      [kept],
    ]);
    expect((await activation(certificateId, apiKey, gate)).status).toBe(404);
    expect((await activation(kept, apiKey, gate)).status).toBe(200);
  });
});

describe('the rate of a key', () => {
  let gates: Listening[];
  beforeEach(async () => {
    const limits = { activationsPerMinute: 3 };
    gates = await Promise.all([
      serveGate(testDatabase.as('gate'), limits),
      serveGate(testDatabase.as('gate'), limits),
    ]);
  });
  afterEach(() => Promise.all(gates.map((gate) => gate.stop())));

  it('holds over all gates together, and is told once with the count', async () => {
    const { certificateId } = await enterGranted();
    const { apiKey, apiKeyId } = await newKey();
    await picture.readNow();
    const ask = (times: number) =>
      Promise.all(
        Array.from({ length: times }, (_, place) =>
          activation(certificateId, apiKey, gates[place % 2]),
        ),
      );
    expect(statuses(await ask(10))).toEqual([200, 200, 200, ...Array<number>(7).fill(429)]);
    now = new Date(grantedAt.getTime() + 19_999);
    expect((await ask(1))[0]).toMatchObject({
      status: 429,
      body: { code: 'too_many_requests', retryAfterSeconds: 1 },
    });
    now = new Date(grantedAt.getTime() + 20_000);
    expect(statuses(await ask(2))).toEqual([200, 429]);
    now = new Date(grantedAt.getTime() + 60_000);
    expect(statuses(await ask(4))).toEqual([200, 200, 429, 429]);
    const told = { actor: `api_key:${apiKeyId}`, call: 'activation', perMinute: 3 };
    expect(await auditOf(`api_key:${apiKeyId}`, 'calls_limited')).toEqual(
      [1, 9].map((count) => ({
        actor: told.actor,
        details: { call: told.call, perMinute: told.perMinute, count },
      })),
    );
  });

  it('says when to come again, and leaves other keys, access and reports alone', async () => {
    const { certificateId, grantId } = await enterGranted();
    const { apiKey } = await newKey();
    const { apiKey: other } = await newKey();
    await picture.readNow();
    const [gate] = gates;
    for (let count = 0; count < 3; count += 1) {
      expect((await activation(certificateId, apiKey, gate)).status).toBe(200);
    }
    const path = `/v1/certificates/${certificateId}`;
    const refused = await fetch(new URL(`${path}/activation`, gate?.url), {
      method: 'POST',
      headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
      body: JSON.stringify({ clientService: 'Invoicing' }),
    });
    expect(refused.status).toBe(429);
    expect(refused.headers.get('retry-after')).toBe('20');
    expect((await activation(certificateId, other, gate)).status).toBe(200);
    expect((await call('GET', `${path}/access`, undefined, apiKey, gate)).status).toBe(200);
    const report = () => call('POST', `${path}/refusals`, { grantId, caError: 'no' }, apiKey, gate);
    const reports = [await report(), await report(), await report(), await report()];
    expect(statuses(reports)).toEqual([202, 202, 202, 429]);
  });
});

describe('a stranger to a certificate', () => {
  /** Told of by the pool: each query outside a transaction, and each transaction. */
  let asked = 0;
  let watched: Database;
  let gate: Listening;
  beforeEach(async () => {
    watched = openDatabase({ url: testDatabase.urlAs('gate'), applicationName: 'gate test' });
    watched.on('acquire', () => {
      asked += 1;
    });
    gate = await serveGate(watched, { activationsPerMinute: 1 });
  });
  afterEach(async () => {
    await gate.stop();
    await watched.end();
  });

  type Request = { method: string; path: string; type: string; body: string | undefined };
  /** Whatever somebody may ask about a certificate, well or badly. */
  const request = (ids: readonly string[]): fc.Arbitrary<Request> => {
    const id = fc.constantFrom(...ids);
    const body = (good: object) =>
      fc.oneof(
        { weight: 3, arbitrary: fc.constant(JSON.stringify(good)) },
        fc.constantFrom('{', '[]', '{"clientService":7}', '{"unknown":1}', undefined),
        fc.json(),
      );
    const service = fc.oneof(fc.constantFrom('Invoicing', ...ids), fc.string({ maxLength: 210 }));
    const type = fc.constantFrom('application/json', 'application/json', 'text/plain');
    return fc.oneof(
      fc.record({
        method: fc.constantFrom('GET', 'GET', 'POST'),
        path: fc
          .option(service)
          .map((asked) =>
            asked === null ? 'access' : `access?clientService=${encodeURIComponent(asked)}`,
          ),
        type: fc.constant('application/json'),
        body: fc.constant(undefined),
      }),
      service.chain((clientService) =>
        fc.record({
          method: fc.constant('POST'),
          path: fc.constant('activation'),
          type,
          body: body({ clientService }),
        }),
      ),
      id.chain((grantId) =>
        fc.record({
          method: fc.constant('POST'),
          path: fc.constant('refusals'),
          type,
          body: body({ grantId, caError: 'no' }),
        }),
      ),
    );
  };

  it('cannot tell one that exists from one that never did, whatever is asked', async () => {
    const theirs = await enterGranted();
    const inScope = await enterGranted();
    const { apiKey: scoped } = await newKey([inScope.certificateId]);
    const other = await enterAccount('Nosy');
    await picture.readNow();
    const ask = async (
      certificateId: string,
      apiKey: string,
      { method, path, type, body }: Request,
    ) => {
      asked = 0;
      const response = await fetch(new URL(`/v1/certificates/${certificateId}/${path}`, gate.url), {
        method,
        headers: { authorization: `Bearer ${apiKey}`, 'content-type': type },
        ...(body !== undefined && method !== 'GET' && { body }),
      });
      const { instance, ...answer } = (await response.json()) as { instance?: string };
      const headers = Object.fromEntries(response.headers);
      expect(headers['x-request-id']).toBe(instance);
      delete headers['x-request-id'];
      delete headers['date'];
      return { status: response.status, answer, headers, queries: asked };
    };
    // At the end of the rate too: the first call takes the only one that there is.
    expect((await activation(inScope.certificateId, scoped, gate)).status).toBe(200);
    expect((await activation(inScope.certificateId, scoped, gate)).status).toBe(429);
    expect(asked).toBeGreaterThan(0);
    const { certificateId, clientServiceId, grantId } = theirs;
    const ids = [certificateId, clientServiceId, grantId, inScope.clientServiceId];
    await fc.assert(
      fc.asyncProperty(request(ids), fc.uuid(), fc.boolean(), async (wanted, never, isStale) => {
        if (isStale) monotonicMs += 30_001;
        const answers = [];
        for (const apiKey of [scoped, other.apiKey]) {
          answers.push(await ask(never, apiKey, wanted), await ask(certificateId, apiKey, wanted));
        }
        if (isStale) await picture.readNow();
        for (const answer of answers.slice(1)) expect(answer).toEqual(answers[0]);
        expect(answers[0]?.status).toBeGreaterThanOrEqual(400);
        expect(answers[0]?.queries).toBe(0);
      }),
      { numRuns: 150 },
    );
    expect(await auditOf(`client_service:${clientServiceId}`, 'activation_refused')).toEqual([]);
    expect(await auditOf(`access_grant:${grantId}`, 'ca_refusal_reported')).toEqual([]);
  });

  it('learns no more from the client services of other certificates', async () => {
    const mine = await enterGranted();
    const theirs = await enterGranted();
    const { apiKey } = await newKey([mine.certificateId]);
    const wide = await serveGate(testDatabase.as('gate'));
    try {
      const ask = async (clientService: string) => {
        const { status, body } = await call(
          'POST',
          `/v1/certificates/${mine.certificateId}/activation`,
          { clientService },
          apiKey,
          wide,
        );
        const query = `?clientService=${clientService}`;
        const seen = await access(mine.certificateId, query, apiKey);
        return [status, { ...body, instance: 0 }, seen.status, { ...seen.body, instance: 0 }];
      };
      const never = await ask('3f0f3f9e-0000-4000-8000-000000000000');
      expect(never[0]).toBe(404);
      expect(await ask(theirs.clientServiceId)).toEqual(never);
    } finally {
      await wide.stop();
    }
  });
});

describe('the last use of a key', () => {
  it('is told of the key and of its old secrets, once it was written', async () => {
    const { certificateId } = await enterGranted();
    const key = await newKey();
    const listed = async () =>
      (await administration.listApiKeys(account.accountId)).find(
        ({ apiKeyId }) => apiKeyId === key.apiKeyId,
      );
    const { apiKey } = await administration.rotateApiKey(key.apiKeyId, { overlapHours: 2 });
    const endsAt = new Date(grantedAt.getTime() + 7_200_000);
    expect(await listed()).toMatchObject({
      lastUsedAt: undefined,
      oldSecret: { endsAt, lastUsedAt: undefined },
    });
    await access(certificateId, '', key.apiKey);
    const oldUsedAt = now;
    now = new Date(grantedAt.getTime() + 60_000);
    await access(certificateId, '', apiKey);
    await uses.write();
    expect(await listed()).toMatchObject({
      lastUsedAt: now,
      oldSecret: { endsAt, lastUsedAt: oldUsedAt },
    });
    // A gate that was slow to tell does not set the clock back.
    await recordApiKeyUses(testDatabase.as('gate'), [
      { keyHash: hashSecret(apiKey), apiKeyId: key.apiKeyId, at: grantedAt },
    ]);
    expect(await listed()).toMatchObject({ lastUsedAt: now });
    now = endsAt;
    expect((await listed())?.oldSecret).toBeUndefined();
  });
});

describe('the activation', () => {
  it('is handed to an active service, and audited', async () => {
    const { certificateId, clientServiceId, credentialId, grantId } = await enterGranted({
      sad: 'the-sad',
      tokens: { accessToken: 'the-token' },
    });
    expect(await activation(certificateId)).toEqual({
      status: 200,
      body: {
        cscBaseUri: `${simulator.url}/csc/v1`,
        dialect: 'v1',
        credentialId,
        accessToken: 'the-token',
        tokenExpiresAt: expiresAt.toISOString(),
        sad: 'the-sad',
        grantId,
        expiresAt: expiresAt.toISOString(),
        remaining: 1_000_000_000,
      },
    });
    const { rows } = await database.query(
      'select actor, action, subject, details from audit_events where certificate_id = $1 and action like $2',
      [certificateId, 'activation%'],
    );
    expect(rows).toEqual([
      {
        actor: `api_key:${account.apiKeyId}`,
        action: 'activation_handed_out',
        subject: `client_service:${clientServiceId}`,
        details: { grantId },
      },
    ]);
  });

  it('is refused with the reason, on the facts and not on the picture, and that is audited', async () => {
    const { certificateId } = await enterGranted();
    now = expiresAt;
    expect(await activation(certificateId)).toMatchObject({
      status: 403,
      body: { code: 'may_not_sign', reason: 'grant_expired' },
    });
    const { rows } = await database.query(
      "select details from audit_events where certificate_id = $1 and action = 'activation_refused'",
      [certificateId],
    );
    expect(rows).toEqual([{ details: { reason: 'grant_expired', count: 1 } }]);
  });

  it('refused again and again is audited once a minute, with the count', async () => {
    const { certificateId, clientServiceId } = await enterGranted();
    now = expiresAt;
    for (let count = 0; count < 3; count += 1) await activation(certificateId);
    now = new Date(expiresAt.getTime() + 60_000);
    await activation(certificateId);
    const actor = `api_key:${account.apiKeyId}`;
    expect(await auditOf(`client_service:${clientServiceId}`, 'activation_refused')).toEqual(
      [1, 3].map((count) => ({ actor, details: { reason: 'grant_expired', count } })),
    );
  });

  async function enterGrantedWithRealTokens() {
    const { accessToken, refreshToken } = await signInAtCa(buildCaClient(simulator.url));
    const tokens = { accessToken, ...(refreshToken && { refreshToken }) };
    const tokensExpireAt = new Date(grantedAt.getTime() + 59_000);
    return { accessToken, ...(await enterGranted({ tokens, tokensExpireAt })) };
  }

  it('has its access token refreshed first when that is about to end, once for all who ask', async () => {
    const { certificateId, accessToken, grantId } = await enterGrantedWithRealTokens();
    const before = (await simulatorState(simulator.url)).calls.length;
    const answers = await Promise.all([1, 2, 3].map(() => activation(certificateId)));
    const given = answers.map(({ body }) => body['accessToken']);
    expect(new Set(given).size).toBe(1);
    expect(given[0]).not.toBe(accessToken);
    expect(given[0]).toEqual(expect.any(String));
    const calls = (await simulatorState(simulator.url)).calls.slice(before);
    expect(calls.filter(({ method }) => method === 'oauth2/token')).toHaveLength(1);
    const { rows } = await database.query<{ tokens_expire_at: Date }>(
      'select tokens_expire_at from access_grants where grant_id = $1',
      [grantId],
    );
    expect(rows[0]?.tokens_expire_at.getTime()).toBeGreaterThan(grantedAt.getTime() + 60_000);
  });

  it('ends the grant when the CA refuses the refresh: services are suspended, the workflow is told', async () => {
    const { certificateId, clientServiceId, grantId } = await enterGrantedWithRealTokens();
    await setSwitches(simulator.url, { refreshRefused: true });
    expect(await activation(certificateId)).toMatchObject({
      status: 403,
      body: { code: 'may_not_sign', reason: 'ended_by_ca' },
    });
    const { rows } = await database.query(
      `select g.end_reason, g.lapse_reason, s.status, o.name, o.payload from access_grants as g
       join client_services as s on s.client_service_id = $2
       join outbox as o on o.subject = g.grant_id
       where g.grant_id = $1`,
      [grantId, clientServiceId],
    );
    expect(rows).toEqual([
      {
        end_reason: 'ended_by_ca',
        lapse_reason: 'ended_by_ca',
        status: 'suspended',
        name: 'revoked',
        payload: { reason: 'ended_by_ca' },
      },
    ]);
    await picture.readNow();
    expect((await access(certificateId)).body).toMatchObject({
      maySign: false,
      reason: 'ended_by_ca',
    });
  });

  it('is not had, and nothing ends, while the CA cannot be reached for the refresh', async () => {
    const { certificateId } = await enterGrantedWithRealTokens();
    await setSwitches(simulator.url, { faults: [{ method: 'oauth2/token', status: 503 }] });
    expect(await activation(certificateId)).toMatchObject({
      status: 503,
      body: { code: 'ca_unreachable' },
    });
    expect((await access(certificateId)).body).toMatchObject({ maySign: true });
  });

  it('is not had when the grant expires while its access token is refreshed', async () => {
    const { certificateId } = await enterGrantedWithRealTokens();
    await setSwitches(simulator.url, { faults: [{ method: 'oauth2/token', delayMs: 500 }] });
    const asked = activation(certificateId);
    await waitUntil(
      async () => {
        const { rows } = await database.query(
          `select from pg_locks as l join pg_database as d on d.oid = l.database
           where d.datname = current_database() and l.relation = 'access_grants'::regclass and l.mode = 'RowShareLock'`,
        );
        return rows.length > 0;
      },
      { what: 'no refresh under way', deadlineMs: 5_000 },
    );
    now = expiresAt;
    expect(await asked).toMatchObject({
      status: 403,
      body: { code: 'may_not_sign', reason: 'grant_expired' },
    });
    const { rows } = await database.query(
      "select action from audit_events where certificate_id = $1 and action like 'activation%'",
      [certificateId],
    );
    expect(rows).toEqual([{ action: 'activation_refused' }]);
  });

  it('is unavailable, and not a fault of ours, while the database is away', async () => {
    const { certificateId, grantId } = await enterGranted();
    const away = openDatabase({ url: 'postgres://nobody@127.0.0.1:1/none', applicationName: 'x' });
    const gate = await serveGate(away);
    try {
      for (const [path, body] of [
        ['activation', { clientService: 'Invoicing' }],
        ['refusals', { grantId, caError: 'SAD expired' }],
      ] as const) {
        const url = `/v1/certificates/${certificateId}/${path}`;
        expect(await call('POST', url, body, account.apiKey, gate)).toMatchObject({
          status: 503,
          body: { code: 'unavailable' },
        });
      }
    } finally {
      await gate.stop();
      await away.end();
    }
  });
});

describe('a refusal of the CA', () => {
  it('that a signer reports is recorded and told to the workflow', async () => {
    const { certificateId, grantId } = await enterGranted();
    const report = { grantId, caError: 'SAD expired' };
    expect(await call('POST', `/v1/certificates/${certificateId}/refusals`, report)).toEqual({
      status: 202,
      body: { recorded: true },
    });
    const { rows } = await database.query(
      `select g.refusal_reported_at, o.name, a.details from access_grants as g
       join outbox as o on o.subject = g.grant_id
       join audit_events as a on a.subject = 'access_grant:' || g.grant_id
       where g.grant_id = $1`,
      [grantId],
    );
    expect(rows).toEqual([
      {
        refusal_reported_at: now,
        name: 'refusalReported',
        details: { caError: 'SAD expired', count: 1 },
      },
    ]);
    const elsewhere = await enterGranted();
    expect(
      (await call('POST', `/v1/certificates/${elsewhere.certificateId}/refusals`, report)).status,
    ).toBe(404);
  });

  it('that a signer reports again and again is told once on each day of the account, and audited with those of the minute counted', async () => {
    const { certificateId, grantId } = await enterGranted();
    const report = () =>
      call('POST', `/v1/certificates/${certificateId}/refusals`, { grantId, caError: 'no' });
    await Promise.all([1, 2, 3, 4].map(report));
    // Lisbon is an hour ahead of UTC in June: the next day begins at 23:00Z.
    now = new Date('2026-06-01T22:59:59Z');
    await report();
    const told = async () =>
      (await database.query('select from outbox where subject = $1', [grantId])).rowCount;
    expect(await told()).toBe(1);
    now = new Date('2026-06-01T23:00:00Z');
    await report();
    expect(await told()).toBe(2);
    now = new Date('2026-06-01T23:00:59Z');
    await report();
    const { rows } = await database.query(
      "select details from audit_events where certificate_id = $1 and action = 'ca_refusal_reported' order by event_id",
      [certificateId],
    );
    expect(rows).toEqual([1, 4, 2].map((count) => ({ details: { caError: 'no', count } })));
  });
});
