import { cpSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import kafkajs from 'kafkajs';
import { createGuardian, type Guardian } from '../development/guardian.ts';
import { freePort } from '../development/ports.ts';
import { installKafka, startKafka, verifyJars, type RunningKafka } from './development-broker.ts';

const localDir = fileURLToPath(new URL('../../.local/', import.meta.url));
let folder: string;
let guardian: Guardian;
let jars: string;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'kafka-'));
  guardian = createGuardian();
  jars = await installKafka(guardian, localDir);
});
afterEach(async () => {
  await guardian.close();
  rmSync(folder, { recursive: true, force: true });
});

const start = async (): Promise<RunningKafka> =>
  startKafka({
    guardian,
    jars,
    dataDir: join(folder, 'kafka'),
    port: await freePort(),
    logFile: join(folder, 'kafka.log'),
  });

const clientOf = ({ brokers }: RunningKafka): kafkajs.Kafka =>
  new kafkajs.Kafka({ brokers: [...brokers], logLevel: kafkajs.logLevel.NOTHING });

describe('The development Kafka', () => {
  it('keeps topics and records over a restart', async () => {
    const first = await start();
    const producer = clientOf(first).producer();
    const admin = clientOf(first).admin();
    await admin.createTopics({
      waitForLeaders: true,
      topics: [{ topic: 'kept', numPartitions: 1 }],
    });
    await admin.disconnect();
    await producer.connect();
    await producer.send({ topic: 'kept', messages: [{ value: 'a' }, { value: 'b' }] });
    await producer.disconnect();
    await first.stop();

    const again = clientOf(await start()).admin();
    await again.connect();
    const [offsets] = await again.fetchTopicOffsets('kept');
    await again.disconnect();
    expect(offsets?.high).toBe('2');
  });

  it('does not run jars that are not the listed ones', async () => {
    const copy = join(folder, 'jars');
    cpSync(jars, copy, { recursive: true });
    await expect(verifyJars(copy)).resolves.toBeUndefined();
    writeFileSync(join(copy, 'strange.jar'), 'strange');
    const removed = readdirSync(copy).find((name) => name.startsWith('kafka-clients'));
    rmSync(join(copy, removed ?? ''));
    await expect(verifyJars(copy)).rejects.toThrow(
      /not in the list: [0-9a-f]{64} {2}strange\.jar\n {2}missing: [0-9a-f]{64} {2}kafka-clients-/,
    );
  });
});
