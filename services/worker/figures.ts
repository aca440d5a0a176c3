import { Counter, Gauge, type Registry } from 'prom-client';
import type { Clock } from '../../domain/clock.ts';
import { RecordTooLarge, type Producer } from '../../infra/kafka/producer.ts';
import type { Mailer } from '../../infra/mail/mailer.ts';
import { loadFactFigures, type FactFigures } from '../../infra/postgres/fact-figures.ts';
import { startStopwatch } from '../../infra/postgres/host-clock.ts';
import type { Database } from '../../infra/postgres/pool.ts';
import type { Dependencies } from '../shared/health.ts';
import { createLastUse } from '../shared/last-use.ts';
import type { Logger } from '../shared/log.ts';
import { startPeriodic } from '../shared/periodic.ts';

const readEveryMs = 10_000;

/**
 * Figures counted from PostgreSQL. Each worker counts the same facts: compare with `max`, never with `sum`. They are read every few seconds whether or not
 * somebody asks, so that asking costs nothing and is answered with what is known when the database is away.
 */
export function watchFacts(options: {
  readonly database: Database;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Registry;
}): { stop(): Promise<void> } {
  const { database, clock, log, metrics } = options;
  const show = createFactGauges(metrics);
  let age = startStopwatch();
  new Gauge({
    name: 'facts_read_age_seconds',
    help: 'Since the figures about facts were last read from PostgreSQL.',
    registers: [metrics],
    collect() {
      this.set(age() / 1000);
    },
  });
  const reading = startPeriodic({
    name: 'reading of figures',
    everyMs: readEveryMs,
    log,
    async work() {
      const begun = startStopwatch();
      show(await loadFactFigures(database, clock.now()));
      age = begun;
    },
  });
  reading.soon();
  return { stop: () => reading.stop() };
}

function createFactGauges(registry: Registry): (figures: FactFigures) => void {
  const registers = [registry];
  const rows = new Gauge({
    name: 'outbox_rows',
    help: 'Rows of the outbox that are not delivered, counted up to 10000: waiting, or set aside for a person because they can never be.',
    labelNames: ['destination', 'state'],
    registers,
  });
  const oldest = new Gauge({
    name: 'outbox_oldest_seconds',
    help: 'Age of the row of the outbox that waits longest.',
    labelNames: ['destination'],
    registers,
  });
  const open = new Gauge({ name: 'renewals_open', help: 'Renewals under way.', registers });
  const overdue = new Gauge({
    name: 'renewals_overdue',
    help: 'Renewals under way for more than a minute beyond the instant at which they were to be closed.',
    registers,
  });
  const ended = new Gauge({
    name: 'renewals_ended_last_hour',
    help: 'Renewals that ended within the last hour, by outcome.',
    labelNames: ['outcome'],
    registers,
  });
  const mails = new Gauge({
    name: 'mails_last_hour',
    help: 'Mails written within the last hour, by the state they are in.',
    labelNames: ['state'],
    registers,
  });
  const unsent = new Gauge({
    name: 'mails_unsent',
    help: 'Mails that are still to be told and that the mail server has not taken.',
    registers,
  });
  const oldestUnsent = new Gauge({
    name: 'mails_oldest_unsent_seconds',
    help: 'Since the oldest of the unsent mails was written.',
    registers,
  });
  return (figures) => {
    for (const { destination, waiting, setAside, oldestSeconds } of figures.outbox) {
      rows.set({ destination, state: 'waiting' }, waiting);
      rows.set({ destination, state: 'set_aside' }, setAside);
      oldest.set({ destination }, oldestSeconds);
    }
    open.set(figures.renewals.open);
    overdue.set(figures.renewals.overdue);
    for (const [outcome, count] of figures.renewals.endedLastHour) ended.set({ outcome }, count);
    for (const [state, count] of figures.mails.lastHour) mails.set({ state }, count);
    unsent.set(figures.mails.unsent);
    oldestUnsent.set(figures.mails.oldestUnsentSeconds);
  };
}

/** What each sweep found. */
export function createSweepFigures(
  registry: Registry,
  clock: Clock,
): (found: { readonly behind: number } | 'failed') => void {
  const registers = [registry];
  const behind = new Gauge({
    name: 'grants_behind',
    help: 'Grants and renewals whose due step is overdue by more than a minute, as the last sweep found.',
    registers,
  });
  const sweptAt = new Gauge({
    name: 'sweep_succeeded_timestamp_seconds',
    help: 'When the last sweep that came through ended, by the clock of PostgreSQL; 0 before the first.',
    registers,
  });
  const failures = new Counter({
    name: 'sweep_failures_total',
    help: 'Sweeps that were broken off.',
    registers,
  });
  return (found) => {
    if (found === 'failed') {
      failures.inc();
    } else {
      behind.set(found.behind);
      sweptAt.set(clock.now().getTime() / 1000);
    }
  };
}

type Sending = Pick<Mailer, 'send'>;

/** Counts what the mail server says. */
export function watchMailer(
  mailer: Sending,
  registry: Registry,
): { readonly mailer: Sending; readonly dependency: Dependencies[string] } {
  const sends = new Counter({
    name: 'mail_sends_total',
    help: 'Tries to hand a mail to the mail server, by result: accepted, refused for good, or failed and tried again.',
    labelNames: ['result'],
    registers: [registry],
  });
  for (const result of ['accepted', 'refused', 'failed']) sends.inc({ result }, 0);
  const { used, dependency } = createLastUse();
  return {
    mailer: {
      async send(message) {
        const sent = await mailer.send(message);
        sends.inc({ result: sent.result });
        used(sent.result !== 'failed');
        return sent;
      },
    },
    dependency,
  };
}

/** Knows whether Kafka took the last record. */
export function watchProducer(producer: Producer): {
  readonly send: Producer['send'];
  readonly dependency: Dependencies[string];
} {
  const { used, dependency } = createLastUse();
  return {
    async send(...record) {
      try {
        await producer.send(...record);
        used(true);
      } catch (error) {
        used(error instanceof RecordTooLarge);
        throw error;
      }
    },
    dependency,
  };
}
