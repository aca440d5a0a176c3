import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Clock } from '../../domain/clock.ts';
import { grantWorkflowId } from '../../domain/messages.ts';
import { regulationPolicy } from '../../domain/policy.ts';
import { createTestDatabase, type TestDatabase } from '../../test/support/database.ts';
import { testParts } from '../../test/support/parts.ts';
import { freePort } from '../development/ports.ts';
import { waitUntil } from '../development/wait-until.ts';
import { loadFactFigures } from '../postgres/fact-figures.ts';
import { publishAccessChange, signalGrant, type Writer } from '../postgres/outbox.ts';
import { openDatabase, type Database } from '../postgres/pool.ts';
import { connectTemporal, type Temporal } from './client.ts';
import { createGrantWorkflows, type GrantWorkflows } from './grant-workflows.ts';
import {
  deliverRecords,
  deliverSignals,
  startOutboxRelay,
  type Relay,
  type RelayLog,
  type RelayOptions,
} from './outbox-relay.ts';
import { Undeliverable } from './undeliverable.ts';

const clock: Clock = { now: () => new Date() };

type Row = {
  subject: string;
  delivered: boolean;
  set_aside_reason: string | null;
  attempts: number;
};

describe('the outbox relay', () => {
  let test: TestDatabase;
  let database: Database;
  let relays: Relay[];
  let logged: { level: string; fields: object; message: string }[];
  const say = (level: string) => (fields: object, message: string) => {
    logged.push({ level, fields, message });
  };
  const log: RelayLog = { info: say('info'), warn: say('warn'), error: say('error') };

  beforeEach(async () => {
    test = await createTestDatabase();
    database = openDatabase({ url: test.url, applicationName: 'test' });
    relays = [];
    logged = [];
  });
  afterEach(async () => {
    await Promise.all(relays.map((relay) => relay.stop()));
    await database.end();
    await test.drop();
  });

  const start = (options: Pick<RelayOptions, 'deliverTo'> & Partial<RelayOptions>): void => {
    relays.push(startOutboxRelay({ database: test.as('worker'), clock, log, ...options }));
  };
  const publish = (certificateId: string, grantId: string): Promise<void> =>
    publishAccessChange(test.as('worker'), 'worker', {
      ...{ type: 'granted', certificateId, grantId },
      at: clock.now().toISOString(),
    });
  const signal = (grantId: string, writtenBy: Writer = 'backoffice'): Promise<void> =>
    signalGrant(
      test.as('worker'),
      writtenBy,
      grantId,
      { name: 'requested', payload: {} },
      clock.now(),
    );
  const rows = async (): Promise<Row[]> => {
    const result = await database.query<Row>(
      `select o.subject, o.delivered_at is not null as delivered, o.set_aside_reason, o.attempts from outbox as o order by o.outbox_id`,
    );
    return result.rows;
  };
  const until = (what: string, probe: () => Promise<boolean> | boolean): Promise<unknown> =>
    waitUntil(probe, { what, deadlineMs: 15_000, intervalMs: 20 });
  const allDealtWith = () =>
    until('the outbox is not empty', async () =>
      (await rows()).every(
        ({ delivered, set_aside_reason }) => delivered || set_aside_reason !== null,
      ),
    );
  const records = (send: (topic: string, key: string, value: string) => Promise<void>) => ({
    kafka: deliverRecords(
      send,
      { 'certificate-access': 'access-topic' },
      (error) => error instanceof RangeError,
    ),
  });
  const grantIn = (value: string): string => (JSON.parse(value) as { grantId: string }).grantId;

  it('sends the records of one certificate in order, however slow one of them is and however many relays run', async () => {
    const certificates = ['a', 'b', 'c'];
    const sent: string[] = [];
    const under = new Set<string>();
    const overlaps: string[] = [];
    const send = async (topic: string, key: string, value: string): Promise<void> => {
      expect(topic).toBe('access-topic');
      if (under.has(key)) overlaps.push(key);
      under.add(key);
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 15));
      sent.push(`${key}${grantIn(value)}`);
      under.delete(key);
    };
    for (let n = 0; n < 8; n += 1) for (const id of certificates) await publish(id, String(n));
    for (let n = 0; n < 3; n += 1) start({ deliverTo: records(send), pollMs: 30 });
    await allDealtWith();
    expect(overlaps).toEqual([]);
    for (const id of certificates) {
      expect(sent.filter((text) => text.startsWith(id))).toEqual(
        [0, 1, 2, 3, 4, 5, 6, 7].map((n) => `${id}${n}`),
      );
    }
  });

  it('sets aside with its reason what can never be delivered, and goes on with what comes after it', async () => {
    const sent: string[] = [];
    start({
      deliverTo: records((_topic, key, value) => {
        if (grantIn(value) === 'too-large')
          return Promise.reject(new RangeError('record too large'));
        sent.push(`${key}:${grantIn(value)}`);
        return Promise.resolve();
      }),
      pollMs: 50,
    });
    for (const grantId of ['1', 'too-large', '2']) await publish('a', grantId);
    await allDealtWith();
    expect(sent).toEqual(['a:1', 'a:2']);
    expect((await rows()).map(({ set_aside_reason }) => set_aside_reason)).toEqual([
      null,
      'record too large',
      null,
    ]);
    expect(logged.filter(({ level }) => level === 'error')).toMatchObject([
      { fields: { reason: 'record too large' } },
    ]);
    expect((await loadFactFigures(test.as('worker'), clock.now())).outbox).toContainEqual({
      destination: 'kafka',
      waiting: 0,
      setAside: 1,
      oldestSeconds: 0,
    });
  });

  it('keeps everything through an outage, keeps the order, and delivers at once when it is over', async () => {
    let down = true;
    let tries = 0;
    const sent: string[] = [];
    for (const grantId of ['1', '2', '3']) await publish('a', grantId);
    start({
      deliverTo: records((_topic, _key, value) => {
        tries += 1;
        if (down) return Promise.reject(new Error('broker away'));
        sent.push(grantIn(value));
        return Promise.resolve();
      }),
      pollMs: 20,
    });
    await until('it was not tried', () => tries >= 3);
    expect((await rows()).every((row) => !row.delivered && row.set_aside_reason === null)).toBe(
      true,
    );
    // Tries come at growing intervals, not with every poll.
    expect(tries).toBeLessThan(5);
    down = false;
    await allDealtWith();
    expect(sent).toEqual(['1', '2', '3']);
    expect(logged.map(({ message }) => message)).toContain('the outbox is delivered again');
  });

  it('delivers the rows of its own writer at once and leaves the young ones of others to them', async () => {
    const heard: string[] = [];
    const note = (who: string) => ({
      temporal: ({ subject }: { subject: string }) => {
        heard.push(`${who}:${subject}`);
        return Promise.resolve();
      },
    });
    start({ deliverTo: note('backoffice'), writtenBy: ['backoffice'], pollMs: 600_000 });
    start({ deliverTo: note('worker'), minAgeMs: 400, pollMs: 50 });
    // Nobody polls for ten minutes: that it is delivered is the notification's doing.
    await until('the relay does not listen', async () => {
      const { rows: listening } = await database.query(
        `select from pg_stat_activity as a where a.query like 'listen%' and a.datname = current_database()`,
      );
      return listening.length === 2;
    });
    await signal('mine', 'backoffice');
    await signal('left-behind', 'usage');
    await allDealtWith();
    expect(heard.sort()).toEqual(['backoffice:mine', 'worker:left-behind']);
  });

  describe('to Temporal', () => {
    let temporal: Temporal;
    let workflows: GrantWorkflows;
    const taskQueue = `nobody-${randomUUID()}`;
    const { temporalAddress, temporalNamespace } = testParts();
    beforeAll(() => {
      temporal = connectTemporal({
        ...{ address: temporalAddress, namespace: temporalNamespace },
        identity: 'test',
      });
      workflows = createGrantWorkflows({ temporal, taskQueue, policy: regulationPolicy });
    });
    afterAll(async () => {
      await temporal.close();
    });
    const handle = (grantId: string) =>
      temporal.client.workflow.getHandle(grantWorkflowId(grantId));
    const signalsOf = async (grantId: string): Promise<number> => {
      const { events } = await handle(grantId).fetchHistory();
      return (events ?? []).filter((event) => event.workflowExecutionSignaledEventAttributes)
        .length;
    };

    it('starts the workflow of a grant with the first signal and adds the others', async () => {
      const grantId = randomUUID();
      start({ deliverTo: { temporal: deliverSignals(workflows) } });
      await signal(grantId);
      await signal(grantId, 'usage');
      await allDealtWith();
      expect(await signalsOf(grantId)).toBe(2);
      const { type, status } = await handle(grantId).describe();
      expect({ type, status: status.name }).toEqual({ type: 'accessGrant', status: 'RUNNING' });
      await handle(grantId).terminate();
    });

    it('counts a signal to a workflow that has completed as delivered, and starts one that was ended by mistake again', async () => {
      const completed = randomUUID();
      const { workflow } = temporal.client;
      // Completed without a worker: the server takes the answer of a task from anybody.
      const own = `completing-${completed}`;
      await workflow.start('accessGrant', {
        taskQueue: own,
        workflowId: grantWorkflowId(completed),
      });
      await completeByHand(temporal, own);
      expect((await handle(completed).describe()).status.name).toBe('COMPLETED');
      const terminated = randomUUID();
      await workflows.ensureStarted(terminated);
      await handle(terminated).terminate();

      start({ deliverTo: { temporal: deliverSignals(workflows) } });
      await signal(completed);
      await signal(terminated);
      await allDealtWith();
      expect((await rows()).map(({ set_aside_reason }) => set_aside_reason)).toEqual([null, null]);
      expect((await handle(completed).describe()).status.name).toBe('COMPLETED');
      expect((await handle(terminated).describe()).status.name).toBe('RUNNING');
      await handle(terminated).terminate();
    });

    it('sets aside what Temporal will never take, without holding the rest up', async () => {
      const good = randomUUID();
      start({ deliverTo: { temporal: deliverSignals(workflows) } });
      await signal('x'.repeat(2_000));
      await database.query(
        `insert into outbox (written_by, destination, subject, name, payload, created_at, next_attempt_at)
         values ('usage', 'temporal', $1, 'noSuchSignal', '{}', now(), now())`,
        [good],
      );
      await signal(good);
      await allDealtWith();
      const reasons = (await rows()).map(({ set_aside_reason }) => set_aside_reason);
      expect(reasons[0]).toMatch(/^Temporal refuses it: /);
      expect(reasons[1]).toBe('no signal has the name noSuchSignal');
      expect(reasons[2]).toBeNull();
      expect(await signalsOf(good)).toBe(1);
      await handle(good).terminate();
    });

    it('a Temporal that is away sets nothing aside', async () => {
      const away = connectTemporal({
        address: `127.0.0.1:${await freePort()}`,
        namespace: temporalNamespace,
        identity: 'test',
      });
      const unreachable = createGrantWorkflows({
        ...{ temporal: away, taskQueue },
        policy: regulationPolicy,
      });
      const failed: unknown = await unreachable
        .signal('any', 'requested', {})
        .catch((e: unknown) => e);
      expect(failed).toBeInstanceOf(Error);
      expect(failed).not.toBeInstanceOf(Undeliverable);
      await away.close();
    });
  });
});

async function completeByHand(
  { connection, namespace }: Temporal,
  taskQueue: string,
): Promise<void> {
  const { taskToken } = await connection.withDeadline(Date.now() + 10_000, () =>
    connection.workflowService.pollWorkflowTaskQueue({ namespace, taskQueue: { name: taskQueue } }),
  );
  await connection.workflowService.respondWorkflowTaskCompleted({
    namespace,
    taskToken,
    commands: [
      {
        // COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION; the package with the names is none of our dependencies.
        // eslint-disable-next-line @typescript-eslint/no-unsafe-enum-assignment
        commandType: 4,
        completeWorkflowExecutionCommandAttributes: {},
      },
    ],
  });
}
