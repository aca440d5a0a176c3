/** @jest-environment <rootDir>/test/support/failure-environment.ts */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { createGuardian } from '../../infra/development/guardian.ts';
import { createProducer, type Producer } from '../../infra/kafka/producer.ts';
import { expectAnswer, type OperatorDriver } from '../../services/stack/operator-driver.ts';
import {
  enterCertificate,
  type EnteredAccount,
  type EnteredCertificate,
} from '../support/entries.ts';
import {
  askActivation,
  eventually,
  gateSays,
  renewAccess,
  seenCertificate,
  signedIn,
  statusesOf,
  type Access,
} from '../support/from-outside.ts';
import { startSystem, type System } from '../support/system.ts';
import { readTopic, type TopicReader } from '../support/topic-records.ts';
import { startOwnKafka, type OwnKafka } from './own-parts.ts';
import {
  becomesReady,
  emailsOf,
  enterAccountAtNoon,
  expectReady,
  impatient,
  recoveryMs,
  reportSignatures,
  toldAbout,
  untilQuiet,
} from './single-fault.ts';

let kafka: OwnKafka;
let system: System;
let account: EnteredAccount;
let driver: OperatorDriver;
let admin: OperatorDriver;
let producer: Producer;
let accessChanges: TopicReader | undefined;
const closings: (() => Promise<unknown>)[] = [];

/** Signs all the time. */
let busy: EnteredCertificate;
let busyGrant: Access;
/** Its last signatures are reported after the outage. */
let nearlyUsed: EnteredCertificate;
/** Stopped, renewed and activated again during the outage. */
let stopped: EnteredCertificate;
const allowance = 20;
const readBefore = 40;

beforeAll(async () => {
  const guardian = createGuardian();
  closings.unshift(() => guardian.close());
  kafka = await startOwnKafka(guardian);
  system = await startSystem({
    name: 'kafka-down',
    env: impatient,
    parts: { kafkaBrokers: kafka.brokers },
  });
  closings.unshift(() => system.stop());
  account = await enterAccountAtNoon(system);
  driver = await signedIn(system, account.operators.operator);
  admin = await signedIn(system, account.operators.admin);
  producer = createProducer({
    ...{ brokers: kafka.brokers, clientId: 'test' },
    log: pino({ level: 'silent' }),
  });
  closings.unshift(() => producer.stop());
  closings.unshift(() => accessChanges?.stop() ?? Promise.resolve());

  busy = await enterCertificate(system, account);
  nearlyUsed = await enterCertificate(system, account);
  stopped = await enterCertificate(system, account);
  busyGrant = await renewAccess(system, driver, busy);
  await renewAccess(system, driver, nearlyUsed, { multisign: allowance });
  await renewAccess(system, driver, stopped);
  await untilQuiet(system, [busy, nearlyUsed, stopped]);
  // Acknowledged just before the end: nobody can have counted all of them yet.
  await Promise.all(
    Array.from({ length: readBefore }, () =>
      reportSignatures(producer, system, { certificate: busy, count: 1 }),
    ),
  );
  await kafka.stop();
}, 120_000);

afterAll(async () => {
  for (const close of closings) await close();
}, 60_000);

const asked = (certificate: EnteredCertificate) => ({
  certificate,
  apiKey: account.apiKey,
  clientService: 'Invoices',
});

const usedOf = async (certificate: EnteredCertificate): Promise<number | null> =>
  (await seenCertificate(driver, certificate)).access.used;

/** Types of the records about a certificate in their order. A record that was sent twice, because its arrival was not heard of, is one. */
const changesOf = ({ id }: EnteredCertificate): unknown[] => {
  const records = new Map(accessChanges?.of(id).map((value) => [JSON.stringify(value), value]));
  return [...records.values()].map(({ type }) => type);
};

describe('While Kafka is down', () => {
  it('only the counter says that it is not ready', async () => {
    await eventually('usage does not notice', async () => {
      const { status } = await fetch(system.readyUrls.usage);
      return status === 503;
    });
    await expectReady(system, { backoffice: true, gate: true, usage: false, worker: true });
  });

  it('signing, stopping, renewing, activating by hand and mails go on', async () => {
    // A signing service that cannot report keeps the event and its id.
    const report = { certificate: busy, count: 5, id: 'kept' };
    const unheard = reportSignatures(producer, system, report).then(
      () => false,
      () => true,
    );

    await gateSays(system, asked(busy), null, busyGrant.grantId);
    expectAnswer(await askActivation(system, asked(busy)), 200);

    const reason = 'Lost laptop';
    const revocation = `/api/certificates/${stopped.id}/revocation`;
    const before = await gateSays(system, asked(stopped), null);
    expectAnswer(await admin.call('POST', revocation, { reason }), 200);
    await gateSays(system, asked(stopped), 'revoked', before.grantId);
    await eventually('Not every operator was told', async () => {
      return (await toldAbout(system, stopped)).lapse.length >= 3;
    });
    const { grantId } = await renewAccess(system, driver, stopped);
    await gateSays(system, asked(stopped), 'client_service_suspended', grantId);
    const [service] = stopped.services;
    expectAnswer(await driver.call('POST', `/api/client-services/${service!.id}/activation`), 200);
    await gateSays(system, asked(stopped), null, grantId);
    expect(await unheard).toBe(true);
  }, 90_000);

  it('and nothing is lost: each signature counts once, and every change is told in its order', async () => {
    const waiting = await system.database.query(
      "select from outbox as o where o.destination = 'kafka' and o.subject = $1 and o.delivered_at is null",
      [stopped.id],
    );
    expect(waiting.rows).toHaveLength(4);

    await kafka.start();
    const { brokers, topics } = system.kafka;
    accessChanges = await readTopic(brokers, topics.accessChanges);
    const report = { certificate: busy, count: 5, id: 'kept' };
    // Once more than needed, as a signing service does that was not sure.
    await reportSignatures(producer, system, report);
    await reportSignatures(producer, system, report);
    await reportSignatures(producer, system, { certificate: nearlyUsed, count: allowance });
    await becomesReady(system, 'usage');
    await eventually(
      'Not every signature was counted',
      async () => (await usedOf(busy)) === readBefore + 5 && (await usedOf(nearlyUsed)) === 20,
      recoveryMs,
    );
    await untilQuiet(system, [busy, nearlyUsed, stopped]);
    await eventually('Not every change was published', () =>
      Promise.resolve(changesOf(stopped).length >= 5 && changesOf(nearlyUsed).length >= 3),
    );
    expect(changesOf(stopped)).toEqual(['granted', 'lapsed', 'suspended', 'granted', 'activated']);
    expect(changesOf(nearlyUsed)).toEqual(['granted', 'lapsed', 'suspended']);
    expect(changesOf(busy)).toEqual(['granted']);

    // And long after it was counted. One key, one partition: what was sent last is counted last.
    await reportSignatures(producer, system, report);
    await reportSignatures(producer, system, { certificate: busy, count: 1 });
    await eventually('The last signature was not counted', async () => {
      return ((await usedOf(busy)) ?? 0) > readBefore + 5;
    });
    expect(await usedOf(busy)).toBe(readBefore + 6);
    expect(await usedOf(stopped)).toBe(0);
    await gateSays(system, asked(nearlyUsed), 'allowance_exhausted');
    expect(statusesOf(await seenCertificate(driver, nearlyUsed))).toEqual({
      Invoices: 'suspended',
    });
    expect(await toldAbout(system, nearlyUsed)).toEqual({ lapse: emailsOf(account), others: [] });
    expect(await toldAbout(system, stopped)).toEqual({ lapse: emailsOf(account), others: [] });
    expect(await toldAbout(system, busy)).toEqual({ lapse: [], others: [] });
  }, 150_000);
});
