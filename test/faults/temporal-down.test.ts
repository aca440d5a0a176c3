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
  codeOnPhone,
  eventually,
  gateSays,
  openDialog,
  renewAccess,
  seenCertificate,
  seenRenewal,
  signedIn,
  statusesOf,
  until,
  workflowOf,
  type Access,
} from '../support/from-outside.ts';
import { startSystem, type System } from '../support/system.ts';
import { readTopic, type TopicReader } from '../support/topic-records.ts';
import { startOwnTemporal, type OwnTemporal } from './own-parts.ts';
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
import { describeWorkflow } from './temporal-view.ts';

const threeDays = 3 * 86_400;
const allowance = 20;

let temporal: OwnTemporal;
let system: System;
let account: EnteredAccount;
let driver: OperatorDriver;
let producer: Producer;
let accessChanges: TopicReader;
const closings: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  const guardian = createGuardian();
  closings.unshift(() => guardian.close());
  temporal = await startOwnTemporal(guardian);
  system = await startSystem({
    name: 'temporal-down',
    env: impatient,
    parts: { temporalAddress: temporal.address },
  });
  closings.unshift(() => system.stop());
  account = await enterAccountAtNoon(system);
  driver = await signedIn(system, account.operators.operator);
  const { brokers, topics } = system.kafka;
  producer = createProducer({ brokers, clientId: 'test', log: pino({ level: 'silent' }) });
  closings.unshift(() => producer.stop());
  accessChanges = await readTopic(brokers, topics.accessChanges);
  closings.unshift(() => accessChanges.stop());
}, 120_000);

afterAll(async () => {
  for (const close of closings) await close();
}, 60_000);

const asked = (certificate: EnteredCertificate) => ({
  certificate,
  apiKey: account.apiKey,
  clientService: 'Invoices',
});
const typesOf = ({ id }: EnteredCertificate): unknown[] =>
  accessChanges.of(id).map(({ type }) => type);
const statusOf = async (grantId: string | null): Promise<string | undefined> =>
  (await describeWorkflow(system, grantId ?? '')).status;
const runs = (grantId: string | null) =>
  eventually(
    `The workflow of ${grantId} does not run`,
    async () => (await statusOf(grantId)) === 'RUNNING',
    recoveryMs,
  );

// The tests depend on each other, in this order: what the first leaves behind is what the second must not tell again.
let renewed: EnteredCertificate;
let lapsing: EnteredCertificate;
let old: Access;
let fresh: Access;
let short: Access;

describe('While Temporal is down', () => {
  beforeAll(async () => {
    renewed = await enterCertificate(system, account);
    lapsing = await enterCertificate(system, account, { inactiveServices: ['Archive'] });
    old = await renewAccess(system, driver, renewed);
    await runs(old.grantId);
    await temporal.stop();
  }, 120_000);

  it('the services that can work without it say that they are ready, and the worker that it is not', async () => {
    await expectReady(system, { backoffice: true, gate: true, usage: true, worker: false });
  });

  it('a renewal succeeds, page and gate know it, and the time limit holds', async () => {
    short = await renewAccess(system, driver, lapsing, { lifetimeSeconds: 5 });
    fresh = await renewAccess(system, driver, renewed, { lifetimeSeconds: threeDays });
    expect(fresh).toMatchObject({ standing: 'warned', warnings: ['time'], used: 0 });
    expect(fresh.grantId).not.toBe(old.grantId);
    const renewal = await seenRenewal(driver, fresh.grantId!);
    expect(renewal).toMatchObject({ state: 'granted', outcome: { code: 'granted' } });
    await gateSays(system, asked(renewed), null, fresh.grantId);

    await until(short.expiresAt!);
    await gateSays(system, asked(lapsing), 'grant_expired', short.grantId);
    const seen = await seenCertificate(driver, lapsing);
    expect(seen.access).toMatchObject({ standing: 'lapsed', reason: 'grant_expired' });
    // Suspending them is a consequence: it follows. Until then the gate refuses them all the same.
    expect(statusesOf(seen)).toEqual({ Archive: 'inactive', Invoices: 'active' });
    await eventually('Kafka waits for Temporal', () =>
      Promise.resolve(typesOf(renewed).length === 2 && typesOf(lapsing).length === 1),
    );
    // It truly was away, and nobody was told anything yet.
    const { rows } = await system.database.query(
      "select from outbox as o where o.destination = 'temporal' and o.delivered_at is null",
    );
    expect(rows.length).toBeGreaterThanOrEqual(5);
    expect(await toldAbout(system, lapsing)).toEqual({ lapse: [], others: [] });
  });

  it('nothing is lost: when it is back the old workflow ends, the new one runs, and all that is due follows once', async () => {
    await temporal.start();
    await becomesReady(system, 'worker');
    await untilQuiet(system, [renewed, lapsing]);

    expect(await workflowOf(system, old.grantId!)).toEqual({
      status: 'COMPLETED',
      result: 'superseded',
    });
    expect(await statusOf(fresh.grantId)).toBe('RUNNING');
    expect(await statusOf(short.grantId)).toBe('RUNNING');
    expect(await toldAbout(system, renewed)).toEqual({ lapse: [], others: emailsOf(account) });
    expect(await toldAbout(system, lapsing)).toEqual({ lapse: emailsOf(account), others: [] });
    expect(statusesOf(await seenCertificate(driver, renewed))).toEqual({ Invoices: 'active' });
    expect(statusesOf(await seenCertificate(driver, lapsing))).toEqual({
      Archive: 'inactive',
      Invoices: 'suspended',
    });
    await eventually('Not every change was published', () =>
      Promise.resolve(typesOf(lapsing).length >= 3),
    );
    expect(typesOf(renewed)).toEqual(['granted', 'granted']);
    expect(typesOf(lapsing)).toEqual(['granted', 'lapsed', 'suspended']);
  }, 120_000);
});

describe('A Temporal that was wiped', () => {
  it('is built anew from PostgreSQL: every open renewal and grant has its workflow, what is due follows once, what was told is not told again', async () => {
    const exhausted = await enterCertificate(system, account);
    const untouched = await enterCertificate(system, account);
    const underWay = await enterCertificate(system, account);
    const [used, far, before] = [
      await renewAccess(system, driver, exhausted, { multisign: allowance }),
      await renewAccess(system, driver, untouched),
      await renewAccess(system, driver, underWay),
    ];
    await untilQuiet(system, [exhausted, untouched, underWay]);
    const told = await Promise.all([toldAbout(system, renewed), toldAbout(system, lapsing)]);
    const renewalId = await openDialog(driver, underWay);
    await runs(renewalId);

    await temporal.stop();
    await temporal.wipe();
    await reportSignatures(producer, system, { certificate: exhausted, count: allowance });
    await gateSays(system, asked(exhausted), 'allowance_exhausted', used.grantId);
    await temporal.start();

    // The renewal that was under way goes on where it was.
    await runs(renewalId);
    const otp = await codeOnPhone(system, underWay);
    expectAnswer(await driver.authorize(renewalId, { pin: underWay.pin, otp }), 200);

    const living = [fresh.grantId, short.grantId, used.grantId, far.grantId, renewalId];
    for (const grantId of living) await runs(grantId);
    await eventually(
      'The services are not suspended',
      async () =>
        statusesOf(await seenCertificate(driver, exhausted))['Invoices'] === 'suspended' &&
        (await toldAbout(system, exhausted)).lapse.length >= 3,
      recoveryMs,
    );
    await untilQuiet(system, [exhausted, untouched, underWay, lapsing]);
    expect(await statusOf(before.grantId)).toBe('COMPLETED');
    // What was over before it was wiped is nobody's business any more.
    expect(await statusOf(old.grantId)).toBeUndefined();

    expect(await toldAbout(system, exhausted)).toEqual({ lapse: emailsOf(account), others: [] });
    expect(await Promise.all([toldAbout(system, renewed), toldAbout(system, lapsing)])).toEqual(
      told,
    );
    for (const quiet of [untouched, underWay]) {
      expect(await toldAbout(system, quiet)).toEqual({ lapse: [], others: [] });
      expect(statusesOf(await seenCertificate(driver, quiet))).toEqual({ Invoices: 'active' });
    }
    expect(typesOf(lapsing)).toEqual(['granted', 'lapsed', 'suspended']);
  }, 180_000);
});
