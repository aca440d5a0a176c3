import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { regulationPolicy as policy } from '../../domain/policy.ts';
import { followDatabaseClock } from '../../infra/postgres/clock.ts';
import { readGatePicture } from '../../infra/postgres/gate-picture.ts';
import { openDatabase } from '../../infra/postgres/pool.ts';
import { createSealer } from '../../infra/postgres/sealing.ts';
import { keepPicture } from '../../services/gate/picture.ts';
import { gateRoutes } from '../../services/gate/routes.ts';
import { createAdministration } from '../../services/shared/administration.ts';
import { createCaClients } from '../../services/shared/ca-clients.ts';
import { createHttpApp } from '../../services/shared/http.ts';
import { createLog } from '../../services/shared/log.ts';
import { createMetrics } from '../../services/shared/metrics.ts';
import { operationsOf, readApiDocument, type Operation } from '../support/api-document.ts';
import { createTestDatabase } from '../support/database.ts';
import { insertGrant } from '../support/grants.ts';
import { expectNoLeaks, findLeaks, type Answers, type Ask, type Finding } from './probe.ts';
import { allRows, neverExisted, oneOfEachKind, storedValues, type StoredValue } from './values.ts';

type Granted = { certificateId: string; clientServiceId: string; grantId: string };

let url: string;
let close: () => Promise<void>;
let rowsNow: () => Promise<Set<string>>;
let operations: Operation[];
/** Of an account of its own; certificate 1 of the account that asks; and its certificate 2, which not every key of it may know of. */
let theirs: Granted;
let mine: Granted;
let alsoMine: Granted;
let others: StoredValue[];
let keys: { whole: string; scoped: string };
let rowsOfOthers: Set<string>;

beforeAll(async () => {
  const testDatabase = await createTestDatabase();
  const database = openDatabase({ url: testDatabase.url, applicationName: 'gate isolation' });
  const clock = await followDatabaseClock(database);
  const sealer = createSealer([{ id: 'test', key: Buffer.alloc(32, 7) }]);
  const administration = createAdministration({ database, clock, sealer });
  await administration.createAuthority({
    ...{ name: 'CA', baseUri: 'http://127.0.0.1:9/csc/v1', clientId: 'platform' },
    clientSecret: 'secret',
  });
  const enterAccount = async (name: string) => {
    const { accountId } = await administration.createAccount({ name });
    const email = `${randomUUID()}@example.test`;
    const operator = await administration.createOperator({ account: accountId, email, name });
    return { accountId, operatorId: operator.operatorId };
  };
  const enterGranted = async (owner: { accountId: string; operatorId: string }) => {
    const unique = randomUUID();
    const { certificateId } = await administration.createCertificate({
      ...{ account: owner.accountId, authority: 'CA', alias: `Seal ${unique}` },
      ...{ subject: `CN=${unique}`, issuer: 'CN=CA', serial: unique },
      ...{ notAfter: '2099-01-01T00:00:00Z', credentialId: unique, caAccount: `${unique}@ca.test` },
    });
    const service = { certificateId, alias: `Signer ${unique}` };
    const { clientServiceId } = await administration.createClientService(service);
    const now = clock.now();
    const grantId = await insertGrant(database, sealer, {
      ...{ certificateId, ...owner, effectiveAt: now },
      expiresAt: new Date(now.getTime() + 86_400_000),
    });
    return { certificateId, clientServiceId, grantId };
  };
  const stranger = await enterAccount('Stranger');
  theirs = await enterGranted(stranger);
  await administration.createApiKey({ account: stranger.accountId, name: 'Their key' });
  others = await storedValues(database);
  rowsNow = () => allRows(database);
  rowsOfOthers = await rowsNow();
  const own = await enterAccount('Own');
  mine = await enterGranted(own);
  alsoMine = await enterGranted(own);
  const key = async (name: string, certificateIds?: string[]): Promise<string> =>
    (
      await administration.createApiKey({
        ...{ account: own.accountId, name },
        ...(certificateIds && { certificateIds }),
      })
    ).apiKey;
  keys = { whole: await key('whole'), scoped: await key('scoped', [mine.certificateId]) };

  const metrics = createMetrics('gate');
  const picture = keepPicture({
    read: () => readGatePicture(testDatabase.as('gate'), clock.now()),
    now: () => clock.now(),
    readEveryMs: 3_600_000,
    staleAfterMs: 3_600_000,
    onError: (error) => {
      throw error;
    },
  });
  await picture.readNow();
  const http = await createHttpApp({
    log: createLog({ service: 'gate', level: 'silent' }),
    ...{ metrics, title: 'gate', version: '1', checkResponses: true },
    routes: gateRoutes({
      store: { database: testDatabase.as('gate'), clock, policy },
      ...{ sealer, caClients: createCaClients(sealer), picture, metrics },
      uses: { note: () => undefined },
      activationsPerMinute: 100_000,
    }),
  }).listen({ port: 0 });
  url = http.url;
  operations = operationsOf(await readApiDocument(url));
  close = async () => {
    await http.stop();
    await picture.stop();
    clock.stop();
    await database.end();
    await testDatabase.drop();
  };
});
afterAll(() => close());

const askWith =
  (key: string): Ask =>
  (method, path, body) =>
    fetch(url + path, {
      method,
      headers: {
        authorization: `Bearer ${key}`,
        ...(body && { 'content-type': 'application/json' }),
      },
      ...(body && { body: JSON.stringify(body) }),
    });

/** What a call needs in its body beside what is tried there. A new call with a body fails the test until it stands here. */
const bodies: Readonly<Record<string, () => Record<string, unknown>>> = {
  'POST /v1/certificates/{id}/activation': () => ({ clientService: mine.clientServiceId }),
  'POST /v1/certificates/{id}/refusals': () => ({ grantId: mine.grantId, caError: 'invalid SAD' }),
};
const onlyTexts = new Set(['POST /v1/certificates/{id}/refusals caError']);
/** By the name of the place; a place that is not here fails the test. */
const kinds: Readonly<Record<string, keyof Granted>> = {
  '/v1/certificates/{id}': 'certificateId',
  clientService: 'clientServiceId',
  grantId: 'grantId',
};

/** With the key that may know of all of the account, or as that which may not: then the account's other certificate is another's too. */
const answersFor = (foreign: readonly Granted[]): Answers => ({
  odd: oneOfEachKind(others),
  mine: (_operation, { in: where }) => (where === 'path' ? mine.certificateId : undefined),
  theirs(operation, place) {
    if (onlyTexts.has(`${operation.name} ${place.name}`)) return [];
    const kind = kinds[place.upToHere ?? place.name];
    if (kind === undefined) {
      throw new Error(`Nobody has said yet what ${place.name} of ${operation.name} is.`);
    }
    return foreign.map((granted) => granted[kind]);
  },
  body(operation) {
    const body = bodies[operation.name];
    if (operation.takesBody && body === undefined) {
      throw new Error(`Nobody has said yet what the body of ${operation.name} holds.`);
    }
    return body?.() ?? {};
  },
  isOnlyText: (operation, place) => onlyTexts.has(`${operation.name} ${place.name}`),
});

async function leaksTo(key: string, foreign: readonly Granted[]): Promise<Finding[]> {
  const leaks: Finding[] = [];
  for (const operation of operations) {
    if (!operation.needsCaller) continue;
    leaks.push(...(await findLeaks(askWith(key), operation, answersFor(foreign), others)));
  }
  return leaks;
}

describe('a key of the gate', () => {
  it('learns nothing of another account', async () => {
    expect(operations.filter(({ needsCaller }) => needsCaller).length).toBeGreaterThanOrEqual(3);
    expectNoLeaks(await leaksTo(keys.whole, [theirs]));
  });

  it('learns nothing of those certificates of its own account that it is not for', async () => {
    const isOf = ({ value }: StoredValue): boolean => Object.values(alsoMine).includes(value);
    expect(
      (
        await askWith(keys.whole)(
          'GET',
          `/v1/certificates/${alsoMine.certificateId}/access`,
          undefined,
        )
      ).status,
    ).toBe(200);
    expectNoLeaks(await leaksTo(keys.scoped, [alsoMine, theirs]));
    expect(others.some(isOf)).toBe(false);
  });

  it('changes nothing of theirs', async () => {
    const rows = await rowsNow();
    expect([...rowsOfOthers].filter((row) => !rows.has(row))).toEqual([]);
    expect(neverExisted(theirs.grantId)).not.toBe(theirs.grantId);
  });
});
