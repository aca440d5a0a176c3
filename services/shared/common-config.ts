import { z } from 'zod';
import {
  commaList,
  flag,
  nodeEnvironments,
  nonEmpty,
  portNumber,
  signedSeconds,
  urlOf,
  variable,
  wholeNumber,
} from './config.ts';
import { logLevels } from './log.ts';
import { hasWellKnownPassword, weaknessOf } from './weak-keys.ts';

/** What every process reads. */
export const processVariables = {
  NODE_ENV: variable(
    '`production`, `development` or `test`; only the last two accept development secrets',
    z.enum(nodeEnvironments, `one of ${nodeEnvironments.join(', ')} is expected`),
    { default: 'production' },
  ),
  LOG_LEVEL: variable(
    'least severe level that is logged',
    z.enum(logLevels, `one of ${logLevels.join(', ')} is expected`),
    { default: 'info' },
  ),
  SHUTDOWN_GRACE_SECONDS: variable(
    'seconds that work under way gets when the process is told to stop',
    wholeNumber(1, 300),
    { default: '10' },
  ),
  PARENT_WATCH: variable(
    '`1` ends the process when its standard input closes (development stack)',
    flag,
    { default: '0' },
  ),
  CLOCK_STALE_SECONDS: variable(
    "whatever depends on the time is refused once PostgreSQL's clock was last measured longer ago than this many seconds",
    wholeNumber(1, 300),
    { default: '30' },
  ),
  TEST_CLOCK_OFFSET_SECONDS: variable(
    'seconds by which a test sets the clocks of this process wrong; refused unless `NODE_ENV` is `test`',
    signedSeconds,
    { default: '0', testOnly: true },
  ),
};

/** Where a process listens; each has a variable of its own for its port. */
export const httpVariables = <const Name extends string>(name: Name, defaultPort: number) =>
  ({
    HTTP_HOST: variable('address to listen on', nonEmpty, { default: '127.0.0.1' }),
    [name]: variable('port to listen on; 0 takes a free one', portNumber, {
      default: String(defaultPort),
    }),
  }) as { HTTP_HOST: ReturnType<typeof variable<z.ZodString>> } & Record<
    Name,
    ReturnType<typeof variable<typeof portNumber>>
  >;

export const databaseVariables = {
  DATABASE_URL: variable(
    'PostgreSQL 16 or later, as the role of this process',
    urlOf('postgres', 'postgresql'),
    {
      developmentDefault: 'postgres://postgres:postgres@127.0.0.1:5433/certificate_access',
      productionFault: (url) =>
        hasWellKnownPassword(url) ? 'the password is one that everybody would try' : undefined,
      secret: true,
    },
  ),
};

export const temporalVariables = {
  TEMPORAL_ADDRESS: variable('host:port of the Temporal frontend', nonEmpty, {
    default: '127.0.0.1:7233',
  }),
  TEMPORAL_NAMESPACE: variable('Temporal namespace', nonEmpty, { default: 'default' }),
  TEMPORAL_TASK_QUEUE: variable('Temporal task queue', nonEmpty, { default: 'access-grants' }),
};

export const kafkaVariables = {
  KAFKA_BROKERS: variable('Kafka brokers, host:port with commas between them', commaList, {
    default: '127.0.0.1:9092',
  }),
  KAFKA_SIGNATURES_TOPIC: variable('topic of the signature events', nonEmpty, {
    default: 'signatures',
  }),
  KAFKA_REJECTS_TOPIC: variable('topic of the signature events that cannot be counted', nonEmpty, {
    default: 'signatures.dlq',
  }),
  KAFKA_ACCESS_TOPIC: variable('topic of what changed about certificates', nonEmpty, {
    default: 'certificate-access',
  }),
};

type SealingKey = { readonly id: string; readonly key: Buffer };
/** Newest first: the first one seals, all of them open. */
export type SealingKeys = readonly [SealingKey, ...SealingKey[]];

const sealingKeyBytes = 32;
const sealingKeyShape = /^([\w-]{1,32}):([A-Za-z0-9+/]+=*)$/;

const sealingKeys = z.string().transform((value, context): SealingKeys => {
  const keys = value.split(',').flatMap((item): SealingKey[] => {
    const [, id, encoded] = sealingKeyShape.exec(item.trim()) ?? [];
    if (id === undefined || encoded === undefined) return [];
    return [{ id, key: Buffer.from(encoded, 'base64') }];
  });
  const areWellFormed =
    keys.length === value.split(',').length &&
    keys.every(({ key }) => key.length === sealingKeyBytes) &&
    new Set(keys.map(({ id }) => id)).size === keys.length;
  const [newest, ...older] = keys;
  if (newest !== undefined && areWellFormed) return [newest, ...older];
  context.addIssue(
    `id:key pairs with commas between them are expected, each id once, each key ${String(sealingKeyBytes)} bytes in base64`,
  );
  return z.NEVER;
});

function faultOfKeys(keys: SealingKeys): string | undefined {
  for (const [index, { id, key }] of keys.entries()) {
    const weakness = weaknessOf(key);
    if (weakness !== undefined) return `the key "${id}" ${weakness}`;
    const same = keys.slice(0, index).find((other) => other.key.equals(key));
    if (same !== undefined) return `"${same.id}" and "${id}" are one key with two names`;
  }
  return undefined;
}

export const sealingVariables = {
  SEALING_KEYS: variable(
    'keys that seal secrets in the database (AES-256), `id:base64`, newest first; an old key stays while anything is sealed with it',
    sealingKeys,
    {
      developmentDefault: 'development:ZGV2ZWxvcG1lbnQga2V5LCBub3QgZm9yIHNlY3JldHM=',
      productionFault: faultOfKeys,
      secret: true,
    },
  ),
};
