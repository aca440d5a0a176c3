import type { Logger } from 'pino';
import { publishDeadLetter } from '../../infra/kafka/dead-letter.ts';
import type { Producer } from '../../infra/kafka/producer.ts';
import type { Crossing } from '../../infra/postgres/usage-counters.ts';
import { publishRejects } from '../../infra/postgres/usage-rejects.ts';
import { settleSuspense } from '../../infra/postgres/usage-suspense.ts';
import {
  forgetEventIds,
  loadUsageFigures,
  type UsageFigures,
  type UsageStore,
} from '../../infra/postgres/usage.ts';
import { startPeriodic } from '../shared/periodic.ts';

export type UpkeepOptions = {
  readonly store: UsageStore;
  readonly topic: string;
  readonly rejectsTopic: string;
  readonly producer: Producer;
  readonly eventIdDays: number;
  readonly log: Logger;
  readonly onFigures: (figures: UsageFigures) => void;
};

export type Upkeep = {
  /** A flush put signatures into suspense: their grant may have been stored while they were counted. */
  settleSoon(): void;
  /** A flush rejected records. */
  publishSoon(): void;
  stop(): Promise<void>;
};

const millisecondsPerDay = 86_400_000;
const forgottenAtOnce = 10_000;

/** What goes on beside the counting: suspense is settled, rejects are published, old event ids are forgotten, figures are read. */
export function startUpkeep(options: UpkeepOptions): Upkeep {
  const { store, topic, rejectsTopic, producer, eventIdDays, log } = options;
  const { database, clock } = store;
  const tell = (crossings: readonly Crossing[]) => {
    for (const crossing of crossings) log.info(crossing, 'usage threshold reached');
  };

  const settling = startPeriodic({
    name: 'settling of suspense',
    everyMs: 3_000,
    log,
    async work() {
      const { signatures, crossings } = await settleSuspense(store);
      if (signatures > 0) log.info({ signatures }, 'suspense settled');
      tell(crossings);
    },
  });
  const publishing = startPeriodic({
    name: 'publishing of rejects',
    everyMs: 1_000,
    log,
    async work() {
      const publish = publishDeadLetter.bind(undefined, producer, rejectsTopic);
      while ((await publishRejects(database, topic, publish, () => clock.now())) > 0);
    },
  });
  const forgetting = startPeriodic({
    name: 'forgetting of event ids',
    everyMs: 60_000,
    log,
    async work() {
      const seenBefore = new Date(clock.now().getTime() - eventIdDays * millisecondsPerDay);
      while ((await forgetEventIds(database, seenBefore, forgottenAtOnce)) === forgottenAtOnce);
    },
  });
  const figuring = startPeriodic({
    name: 'reading of figures',
    everyMs: 5_000,
    log,
    async work() {
      options.onFigures(await loadUsageFigures(database, topic));
    },
  });

  return {
    settleSoon() {
      settling.soon();
    },
    publishSoon() {
      publishing.soon();
    },
    async stop() {
      const all = [settling, publishing, forgetting, figuring];
      await Promise.all(all.map((each) => each.stop()));
    },
  };
}
