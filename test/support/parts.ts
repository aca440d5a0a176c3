import type { KafkaDetour } from '../../infra/kafka/development-broker.ts';
import type { Chromium } from './chromium.ts';

/** Where the real parts of this test run answer. Started by global-setup.ts, which hands the addresses to Jest's workers in one variable. */
export type TestParts = {
  /** Of the database `postgres`, as superuser. */
  readonly postgresUrl: string;
  /** A migrated, empty database to make copies of. */
  readonly templateDatabase: string;
  readonly temporalAddress: string;
  readonly temporalNamespace: string;
  readonly kafkaBrokers: readonly string[];
  /** Doors of the broker for the fault harness, which listens on the advertised ports; one of them per process that it cuts off. */
  readonly kafkaDetours: readonly KafkaDetour[];
  readonly temporalTestServerPath: string;
  readonly chromium: Chromium;
  /** Of this run, for files; removed at its end. */
  readonly directory: string;
};

export const partsVariable = 'CERTIFICATE_ACCESS_TEST_PARTS';

export function testParts(): TestParts {
  const text = process.env[partsVariable];
  if (text === undefined) {
    throw new Error('This test needs the real parts: run it without PARTS=none.');
  }
  return JSON.parse(text) as TestParts;
}
