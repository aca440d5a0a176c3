import { randomBytes } from 'node:crypto';
import {
  databaseVariables,
  httpVariables,
  kafkaVariables,
  processVariables,
  sealingVariables,
  temporalVariables,
} from './common-config.ts';
import {
  ConfigError,
  describeVariables,
  nonEmpty,
  parseConfig,
  variable,
  type Environment,
  type Variables,
} from './config.ts';

const secret = 'planted-4711';
const newKey = () => randomBytes(32).toString('base64');
const key = newKey();
const development = sealingVariables.SEALING_KEYS.developmentDefault ?? '';

const faultsOf = (variables: Variables, env: Environment): readonly string[] => {
  try {
    parseConfig(variables, env);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
};

describe('the configuration', () => {
  it('has a default for all but secrets, and is for production unless told otherwise', () => {
    const config = parseConfig(
      {
        ...processVariables,
        ...temporalVariables,
        ...kafkaVariables,
        ...httpVariables('GATE_PORT', 3100),
      },
      {},
    );
    expect(config).toEqual({
      NODE_ENV: 'production',
      LOG_LEVEL: 'info',
      SHUTDOWN_GRACE_SECONDS: 10,
      PARENT_WATCH: false,
      CLOCK_STALE_SECONDS: 30,
      TEST_CLOCK_OFFSET_SECONDS: 0,
      TEMPORAL_ADDRESS: '127.0.0.1:7233',
      TEMPORAL_NAMESPACE: 'default',
      TEMPORAL_TASK_QUEUE: 'access-grants',
      KAFKA_BROKERS: ['127.0.0.1:9092'],
      KAFKA_SIGNATURES_TOPIC: 'signatures',
      KAFKA_REJECTS_TOPIC: 'signatures.dlq',
      KAFKA_ACCESS_TOPIC: 'certificate-access',
      HTTP_HOST: '127.0.0.1',
      GATE_PORT: 3100,
    });
  });

  it('lists all its faults together, by name and never with the value', () => {
    const faults = faultsOf(
      {
        ...processVariables,
        ...databaseVariables,
        ...kafkaVariables,
        ...httpVariables('GATE_PORT', 3100),
        ...sealingVariables,
      },
      {
        LOG_LEVEL: secret,
        DATABASE_URL: `mysql://u:${secret}@h/x`,
        KAFKA_BROKERS: 'a:1,,b:2',
        GATE_PORT: '70000',
        SEALING_KEYS: `k1:${secret}`,
        SHUTDOWN_GRACE_SECONDS: '-1',
        PARENT_WATCH: 'yes',
      },
    );
    expect(faults.map((fault) => fault.split(':')[0])).toEqual([
      'LOG_LEVEL',
      'SHUTDOWN_GRACE_SECONDS',
      'PARENT_WATCH',
      'DATABASE_URL',
      'KAFKA_BROKERS',
      'GATE_PORT',
      'SEALING_KEYS',
    ]);
    expect(faults.join()).not.toContain(secret);
    expect(new ConfigError(faults).message).toContain(
      'GATE_PORT: at most 65535 is expected (port to listen on',
    );
  });

  it('takes a variable that is set to nothing as unset', () => {
    expect(parseConfig(temporalVariables, { TEMPORAL_NAMESPACE: '' }).TEMPORAL_NAMESPACE).toBe(
      'default',
    );
    expect(faultsOf({ NAME: variable('a name', nonEmpty) }, { NAME: '' })).toEqual([
      'NAME: is required (a name)',
    ]);
  });

  it.each([undefined, 'production', 'development'])(
    'refuses what only tests may set when NODE_ENV is %p, but not its default',
    (NODE_ENV) => {
      const faults = faultsOf(processVariables, { NODE_ENV, TEST_CLOCK_OFFSET_SECONDS: '-300' });
      expect(faults).toEqual([
        expect.stringContaining('TEST_CLOCK_OFFSET_SECONDS: is accepted where NODE_ENV is test'),
      ]);
      expect(faultsOf(processVariables, { NODE_ENV, TEST_CLOCK_OFFSET_SECONDS: '0' })).toEqual([]);
    },
  );

  it('takes what only tests may set when NODE_ENV is test', () => {
    const env = { NODE_ENV: 'test', TEST_CLOCK_OFFSET_SECONDS: '-300' };
    expect(parseConfig(processVariables, env).TEST_CLOCK_OFFSET_SECONDS).toBe(-300);
  });

  it.each(['development', 'test'])('knows development secrets in %s', (NODE_ENV) => {
    const config = parseConfig({ ...sealingVariables, ...databaseVariables }, { NODE_ENV });
    expect(config.SEALING_KEYS.map(({ id, key: { length } }) => [id, length])).toEqual([
      ['development', 32],
    ]);
    expect(config.DATABASE_URL).toContain(':5433/');
  });

  it.each([undefined, '', 'production', 'staging'])(
    'refuses development secrets when NODE_ENV is %p',
    (NODE_ENV) => {
      expect(faultsOf(sealingVariables, { NODE_ENV })[0]).toContain('SEALING_KEYS: is required');
      expect(faultsOf(sealingVariables, { NODE_ENV, SEALING_KEYS: development })[0]).toContain(
        'not for production',
      );
      expect(
        faultsOf(sealingVariables, { NODE_ENV, SEALING_KEYS: `new:${key},${development}` })[0],
      ).toContain('not for production');
      expect(faultsOf(sealingVariables, { NODE_ENV, SEALING_KEYS: `new:${key}` })).toEqual([]);
    },
  );

  const base64 = (bytes: Uint8Array | string) => Buffer.from(bytes as string).toString('base64');
  const developmentKey = development.split(':')[1] ?? '';

  it.each([
    ['of zeros', base64(Buffer.alloc(32)), 'repeats too few bytes'],
    ['of one byte', base64(Buffer.alloc(32, 0xa7)), 'repeats too few bytes'],
    ['of 16 bytes twice', base64(Buffer.alloc(32, randomBytes(16))), 'repeats too few bytes'],
    ['that counts', base64(Uint8Array.from({ length: 32 }, (_, i) => i)), 'counts up or down'],
    [
      'that counts down past zero',
      base64(Uint8Array.from({ length: 32 }, (_, i) => 256 + 7 - 3 * i)),
      'counts up or down',
    ],
    ['that is a pass phrase', base64('correct horse battery staple 123'), 'is text'],
    ['that is 32 hexadecimal digits', base64(randomBytes(16).toString('hex')), 'is text'],
    ['of development under another name', developmentKey, 'is text'],
  ])('refuses a key %s outside development, wherever it stands', (_, weak, why) => {
    for (const SEALING_KEYS of [`k1:${weak}`, `k2:${key},k1:${weak}`]) {
      expect(faultsOf(sealingVariables, { SEALING_KEYS })).toEqual([
        expect.stringContaining(`SEALING_KEYS: the key "k1" ${why}`),
      ]);
      expect(faultsOf(sealingVariables, { SEALING_KEYS }).join()).not.toContain(weak);
      expect(faultsOf(sealingVariables, { SEALING_KEYS, NODE_ENV: 'test' })).toEqual([]);
    }
  });

  it('refuses outside development one key with two names, which would be no change of the key', () => {
    expect(faultsOf(sealingVariables, { SEALING_KEYS: `k2:${key},k1:${key}` })).toEqual([
      expect.stringContaining('"k2" and "k1" are one key with two names'),
    ]);
  });

  it('refuses no random key', () => {
    for (let i = 0; i < 2_000; i += 1) {
      expect(faultsOf(sealingVariables, { SEALING_KEYS: `k:${newKey()}` })).toEqual([]);
    }
  });

  it.each([
    'postgres://postgres:postgres@db.internal:5432/x',
    'postgresql://postgres:postgres@127.0.0.1:5433/certificate_access',
    'postgres://app:Password@db.internal/x',
    'postgres://app:app@db.internal/x',
    'postgres://a%70p:ap%70@db.internal/x',
    databaseVariables.DATABASE_URL.developmentDefault ?? '',
  ])('refuses the database of %s outside development', (DATABASE_URL) => {
    const [fault, ...others] = faultsOf(databaseVariables, { DATABASE_URL });
    expect(fault).toMatch(/DATABASE_URL: the (password is one that everybody|development value)/);
    expect(others).toEqual([]);
    expect(faultsOf(databaseVariables, { DATABASE_URL, NODE_ENV: 'development' })).toEqual([]);
  });

  it.each([
    'postgres://app:f3a9c0ffee@db.internal/x',
    'postgres://app:100%@db.internal/x',
    'postgres://app@db.internal/x',
  ])('takes the database of %s', (DATABASE_URL) => {
    expect(faultsOf(databaseVariables, { DATABASE_URL })).toEqual([]);
  });

  it('keeps sealing keys in the order given, newest first', () => {
    const { SEALING_KEYS } = parseConfig(sealingVariables, {
      SEALING_KEYS: `k2:${key}, k1:${newKey()}`,
    });
    expect(SEALING_KEYS.map(({ id }) => id)).toEqual(['k2', 'k1']);
    expect(Buffer.from(SEALING_KEYS[0].key).toString('base64')).toBe(key);
  });

  it.each([
    ['a short key', `k1:${Buffer.alloc(31, 7).toString('base64')}`],
    ['a long key', `k1:${Buffer.alloc(33, 7).toString('base64')}`],
    ['a key without id', key],
    ['an id given twice', `k1:${key},k1:${key}`],
    ['one good and one bad key', `k1:${key},k2:short`],
    ['an empty entry', `k1:${key},`],
  ])('refuses %s', (_, SEALING_KEYS) => {
    expect(faultsOf(sealingVariables, { SEALING_KEYS })).toHaveLength(1);
  });

  it('describes its variables as rows of a table, without secrets', () => {
    const rows = describeVariables({
      ...temporalVariables,
      ...sealingVariables,
      ...databaseVariables,
      NAME: variable('a name', nonEmpty),
      NICKNAME: variable('another', nonEmpty.optional()),
    });
    expect(rows.split('\n')).toEqual([
      '| `TEMPORAL_ADDRESS` | `127.0.0.1:7233` | host:port of the Temporal frontend |',
      '| `TEMPORAL_NAMESPACE` | `default` | Temporal namespace |',
      '| `TEMPORAL_TASK_QUEUE` | `access-grants` | Temporal task queue |',
      expect.stringContaining(
        '| `SEALING_KEYS` | required; in development one of its own |',
      ) as string,
      expect.stringContaining(
        '| `DATABASE_URL` | required; in development one of its own |',
      ) as string,
      '| `NAME` | required | a name |',
      '| `NICKNAME` | none | another |',
    ]);
  });
});
