/** @jest-environment <rootDir>/test/support/failure-environment.ts */
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { createGuardian } from '../../infra/development/guardian.ts';
import { createProducer } from '../../infra/kafka/producer.ts';
import { openDatabase } from '../../infra/postgres/pool.ts';
import { supervise } from '../../services/stack/supervise.ts';
import { enterCertificate, type EnteredCertificate } from '../support/entries.ts';
import {
  codeOnPhone,
  eventually,
  openDialog,
  renewAccess,
  seenRenewal,
  signedIn,
  until,
} from '../support/from-outside.ts';
import { testParts } from '../support/parts.ts';
import { serviceNames, startSystem } from '../support/system.ts';
import { collectEvidence } from './collect.ts';
import { stormEnv, type Installation } from './installation.ts';
import { violationsIn } from './invariants/index.ts';
import { startOwnPostgres, type OwnPostgres } from './own-parts.ts';
import type { PlannedCertificate } from './plan.ts';
import { emptyRecord, type DriverRecord } from './record.ts';
import { codeOf } from './renewal-driver.ts';
import { settle } from './settle.ts';
import { watchFacts } from './sightings.ts';
import { driveSignatures } from './signing-driver.ts';
import { followTopic } from './signature-topic.ts';
import { becomesReady, enterAccountAtNoon, recoveryMs } from './single-fault.ts';
import { canMountDisks, mountSmallDisk, type SmallDisk } from './small-disk.ts';

/** Longer than the tests of this file: still in force at their end, and in its last week, so that operators are told. */
const longSeconds = 3_600;
const diskMegabytes = 256;
const hasDisk = canMountDisks();

let postgres: OwnPostgres;
let disk: SmallDisk | undefined;
let installation: Installation;
const closings: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  const guardian = createGuardian();
  closings.unshift(() => guardian.close());
  if (hasDisk) {
    const folder = join(testParts().directory, `small-disk-${randomBytes(4).toString('hex')}`);
    disk = await mountSmallDisk(guardian, folder, diskMegabytes);
  }
  postgres = await startOwnPostgres(guardian, disk?.folder);
  closings.splice(1, 0, () => postgres.remove());
  await keepLogSmall(postgres.url);
  installation = await startOn(postgres.url);
  closings.unshift(() => installation.stop());
}, 120_000);

afterAll(async () => {
  for (const close of closings) await close();
}, 60_000);

/** The write-ahead log would take up to a gigabyte before its first checkpoint. */
async function keepLogSmall(url: string): Promise<void> {
  const server = openDatabase({ url, applicationName: 'test', maxConnections: 1 });
  for (const bound of ['min_wal_size', 'max_wal_size']) {
    await server.query(`alter system set ${bound} = '32MB'`);
  }
  await server.query('select pg_reload_conf()');
  await server.end();
}

/** The product as the storms have it, with nothing between it and its parts. */
async function startOn(postgresUrl: string): Promise<Installation> {
  const system = await startSystem({
    name: 'postgres-down',
    env: {
      ...stormEnv,
      // Renewals are no matter of seconds here.
      POLICY_ATTEMPT_SECONDS: '900',
      POLICY_CODE_WINDOW_SECONDS: '120',
      CA_AUTHORIZATION_TIMEOUT_SECONDS: '10',
    },
    parts: { postgresUrl },
    fromNothing: true,
  });
  const account = await enterAccountAtNoon(system);
  const { admin, operator } = account.operators;
  const drivers = {
    admin: await signedIn(system, admin),
    operator: await signedIn(system, operator),
  };
  const { brokers, topics } = system.kafka;
  const producer = createProducer({ brokers, clientId: 'test', log: pino({ level: 'silent' }) });
  const signatures = await followTopic(brokers, topics.signatures);
  return {
    ...{ system, producer, signatures, proxies: new Map() },
    accounts: [{ ...account, drivers }],
    async stop() {
      await signatures.stop();
      await producer.stop();
      await system.stop();
    },
  };
}

/** Signing services that ask the gate all the time, for a certificate and for its service, and report what they were allowed. */
function sign(
  certificates: readonly EnteredCertificate[],
  record: DriverRecord,
  calm: AbortSignal,
) {
  const { system, accounts, producer } = installation;
  const asks: readonly PlannedCertificate['signing']['ask'][] = ['access_of_service', 'activation'];
  return Promise.all(
    certificates.flatMap((certificate) =>
      asks.map((ask, index) =>
        driveSignatures(
          {
            ...{ certificate, producer, record },
            gateUrl: system.urls.gate,
            apiKey: accounts[0].apiKey,
            topic: system.kafka.topics.signatures,
            signing: { ask, everyMs: 120, mostAtOnce: 2, seed: index },
          },
          calm,
        ),
      ),
    ),
  );
}

const renew = (
  certificate: EnteredCertificate,
  terms: { lifetimeSeconds: number; multisign?: number },
) =>
  renewAccess(installation.system, installation.accounts[0].drivers.operator, certificate, terms);

const servicesReady = () =>
  Promise.all(serviceNames.map((service) => becomesReady(installation.system, service)));

const enter = () => enterCertificate(installation.system, installation.accounts[0]);

/** Runs `faults` while signing services sign with the certificates, lets everything settle, and answers what was not as it has to be. */
async function violationsAfter(
  certificates: readonly EnteredCertificate[],
  faults: (record: DriverRecord) => Promise<void>,
) {
  const { system, accounts } = installation;
  const record = emptyRecord();
  const calm = new AbortController();
  const ids = certificates.map(({ id }) => id);
  const sighting = watchFacts(system.database, ids);
  const signing = sign(certificates, record, calm.signal);
  try {
    await faults(record);
  } finally {
    calm.abort();
    await signing;
  }
  await servicesReady();
  const outstanding = await settle(installation, ids, () => undefined);
  await sighting.stop();
  const driven = certificates.map((certificate) => ({ account: accounts[0], certificate }));
  const evidence = await collectEvidence(installation, driven, { record, sighting });
  return { outstanding, violations: violationsIn(evidence), record, evidence };
}

const answersTo = ({ answers }: DriverRecord, { id }: EnteredCertificate) =>
  answers.filter(({ certificateId }) => certificateId === id);

/** Waits until the gate has said this, or refused to say anything, once more than before. */
const hears = async (record: DriverRecord, word: string): Promise<void> => {
  const count = (): number =>
    record.unanswered.get(word) ?? record.answers.filter(({ reason }) => reason === word).length;
  const before = count();
  await eventually(
    `The gate does not say ${word}`,
    () => Promise.resolve(count() > before),
    recoveryMs,
  );
};

describe('PostgreSQL that crashes under load', () => {
  it('never lets the gate allow past a limit: it answers rightly or refuses, and everything recovers by itself', async () => {
    const [steady, counted, timed] = [await enter(), await enter(), await enter()];
    await renew(steady, { lifetimeSeconds: longSeconds });
    await renew(counted, { lifetimeSeconds: longSeconds, multisign: 60 });
    const { outstanding, violations, record, evidence } = await violationsAfter(
      [steady, counted, timed],
      async (recorded) => {
        await eventually('Nothing is signed', () =>
          Promise.resolve(answersTo(recorded, counted).filter(({ maySign }) => maySign).length > 5),
        );
        // Back at once: whoever was in the middle of something is told so.
        await postgres.crash();
        await postgres.start();
        await servicesReady();
        const { expiresAt } = await renew(timed, { lifetimeSeconds: 9 });
        await eventually('The gate does not know the new grant', () =>
          Promise.resolve(answersTo(recorded, timed).some(({ maySign }) => maySign)),
        );
        // Away when the time limit comes, which the gate knows from memory alone, and for longer than it trusts its memory.
        await until(Date.parse(expiresAt!) - 2_500);
        await postgres.crash();
        await until(expiresAt!);
        await hears(recorded, 'picture_stale');
        await postgres.start();
        await servicesReady();
        await hears(recorded, 'allowance_exhausted');
        await hears(recorded, 'grant_expired');
      },
    );
    expect(outstanding).toEqual([]);
    expect(violations).toEqual([]);
    expect([...record.unanswered.keys()].sort()).toEqual(['picture_stale', 'unavailable']);
    // Not only careful: what may be signed with was never refused for another reason.
    expect(answersTo(record, steady).filter(({ maySign }) => !maySign)).toEqual([]);
    const statuses = evidence.services.map(({ certificateId, status }) => [certificateId, status]);
    expect(Object.fromEntries(statuses)).toEqual({
      [steady.id]: 'active',
      [counted.id]: 'suspended',
      [timed.id]: 'suspended',
    });
  }, 240_000);
});

/** Starts it only from the second time on: it runs already. */
function startingAgain(part: OwnPostgres): () => Promise<{ readonly exited: Promise<unknown> }> {
  let isFirst = true;
  return async () => {
    if (!isFirst) await part.start();
    isFirst = false;
    return { exited: part.exited };
  };
}

/** Writes to the server's log until it takes no more; the server goes down with that. */
const exhaustLog = (url: string): Promise<unknown> =>
  eventually(
    'PostgreSQL goes on writing',
    async () => {
      const server = openDatabase({ url, applicationName: 'test', maxConnections: 1 });
      try {
        for (;;) {
          await server.query(
            `select pg_logical_emit_message(true, 'filling', repeat('x', 1000000))`,
          );
        }
      } catch {
        return true;
      } finally {
        await server.end();
      }
    },
    recoveryMs,
  );

const fullDisk = hasDisk
  ? { describe, name: 'PostgreSQL on a full disk' }
  : {
      describe: describe.skip,
      name: 'PostgreSQL on a full disk (SKIPPED: this machine lets no test mount a small file system)',
    };
if (!hasDisk) process.stderr.write(`${fullDisk.name}\n`);

fullDisk.describe(fullDisk.name, () => {
  const ending = new AbortController();
  afterEach(async () => {
    ending.abort();
    await disk?.free();
  });

  it('makes the product refuse, allow nothing wrong and lose nothing; with space again everything goes on', async () => {
    const { system, accounts } = installation;
    const { operator } = accounts[0].drivers;
    const [steady, counted, underWay] = [await enter(), await enter(), await enter()];
    await renew(steady, { lifetimeSeconds: longSeconds });
    await renew(counted, { lifetimeSeconds: longSeconds, multisign: 60 });
    const renewalId = await openDialog(operator, underWay, { lifetimeSeconds: longSeconds });
    const otp = await codeOnPhone(system, underWay);
    // Started again whenever it ends, as `npm start` or an orchestrator does.
    await supervise({
      ...{ name: 'PostgreSQL', say: () => undefined, ending: ending.signal },
      ...{ firstPauseMs: 200, longestPauseMs: 1_000 },
      start: startingAgain(postgres),
    });

    const { outstanding, violations, record } = await violationsAfter(
      [steady, counted, underWay],
      async (recorded) => {
        await disk!.fill();
        await exhaustLog(postgres.url);
        await hears(recorded, 'unavailable');
        const answer = await operator.authorize(renewalId, { pin: underWay.pin, otp });
        recorded.renewals.push({
          ...{ certificateId: underWay.id, way: 'straight', renewalId },
          told: answer.status === 200 ? 'granted' : codeOf(answer),
        });
        await hears(recorded, 'unavailable');

        await disk!.free();
        await servicesReady();
        await eventually(
          'What was asked of the CA is not settled',
          async () => (await seenRenewal(operator, renewalId)).state !== 'authorizing',
          recoveryMs,
        );
        await renew(underWay, { lifetimeSeconds: longSeconds });
        await hears(recorded, 'allowance_exhausted');
      },
    );
    expect(outstanding).toEqual([]);
    expect(violations).toEqual([]);
    // Whichever step found no space: stored after all, not begun, or asked of the CA and not stored.
    expect(['granted', 'unavailable', 'outcome_unknown']).toContain(record.renewals[0]!.told);
    const said = [...record.unanswered.keys()];
    expect(said.filter((word) => !['picture_stale', 'unavailable'].includes(word))).toEqual([]);
    expect(answersTo(record, steady).filter(({ maySign }) => !maySign)).toEqual([]);
    expect(answersTo(record, steady).at(-1)?.maySign).toBe(true);
  }, 240_000);
});
