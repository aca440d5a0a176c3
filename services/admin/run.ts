import { Problem } from '../../domain/errors.ts';
import { ensureTopics, productTopics } from '../../infra/kafka/topics.ts';
import { followDatabaseClock } from '../../infra/postgres/clock.ts';
import { migrate } from '../../infra/postgres/migrate.ts';
import { openDatabase } from '../../infra/postgres/pool.ts';
import { setUpRoles, type RolesSetUp } from '../../infra/postgres/role-setup.ts';
import { RolesFault } from '../../infra/postgres/roles.ts';
import { createSealer, type Sealer } from '../../infra/postgres/sealing.ts';
import { createAdministration } from '../shared/administration.ts';
import { ConfigError, parseConfig, type Environment } from '../shared/config.ts';
import { systemCodeOf } from '../shared/log.ts';
import { parseArguments } from './arguments.ts';
import { BadFinding, UsageError, type Command } from './command.ts';
import { commands } from './commands.ts';
import {
  adminVariables,
  rolesAdminVariables,
  sealingAdminVariables,
  topicsAdminVariables,
} from './config.ts';
import { commandHelp, generalHelp, rolesHelp } from './help.ts';

export type AdminInput = {
  readonly args: readonly string[];
  readonly env: Environment;
  readonly readStdin: () => Promise<string>;
  /** Takes what a long command says of its progress. */
  readonly progress?: (said: unknown) => void;
};

/** Carries out one command line and answers what is to be printed. Throws for everything that went wrong; see `faultOf`. */
export async function runAdmin(input: AdminInput): Promise<string> {
  const { args, env } = input;
  const asksHelp = args.includes('--help') || args.includes('-h');
  const [noun = '', verb = ''] = args;
  if (noun === 'roles') {
    if (asksHelp) return rolesHelp();
    return json(await setUpRolesFrom(env));
  }
  if (noun === 'migrate') {
    if (asksHelp) {
      return 'Brings the database’s schema up to date and gives each role its rights. Safe to repeat. Run it as the migrations’ role.';
    }
    return json({ applied: await migrate(parseConfig(adminVariables, env).DATABASE_URL) });
  }
  if (noun === 'topics') {
    if (asksHelp) return 'Creates the Kafka topics that are missing. Safe to repeat.';
    return json({ created: await createTopics(env) });
  }
  const name = `${noun} ${verb}`;
  const command = commands[name];
  if (command === undefined) {
    if (asksHelp || noun === '') return generalHelp();
    throw new UsageError(`There is no command "${name.trim()}": see --help.`);
  }
  if (asksHelp) return commandHelp(name, command);
  return json(await runCommand(command, { ...input, args: args.slice(2) }));
}

function setUpRolesFrom(env: Environment): Promise<RolesSetUp> {
  const config = parseConfig(rolesAdminVariables, env);
  return setUpRoles(config.DATABASE_URL, {
    migrations: config.DATABASE_PASSWORD_MIGRATIONS,
    backoffice: config.DATABASE_PASSWORD_BACKOFFICE,
    gate: config.DATABASE_PASSWORD_GATE,
    usage: config.DATABASE_PASSWORD_USAGE,
    worker: config.DATABASE_PASSWORD_WORKER,
    admin: config.DATABASE_PASSWORD_ADMIN,
  });
}

function createTopics(env: Environment): Promise<string[]> {
  const config = parseConfig(topicsAdminVariables, env);
  const topics = productTopics({
    signatures: config.KAFKA_SIGNATURES_TOPIC,
    rejects: config.KAFKA_REJECTS_TOPIC,
    accessChanges: config.KAFKA_ACCESS_TOPIC,
  });
  return ensureTopics(config.KAFKA_BROKERS, topics);
}

async function runCommand(command: Command, input: AdminInput): Promise<unknown> {
  const { values, secretByStdin } = parseArguments(command, input.args);
  const config = parseConfig(adminVariables, input.env);
  const sealer = command.seals ? sealerFrom(input.env) : undefined;
  const given = secretByStdin
    ? (await input.readStdin()).replace(/\r?\n$/, '')
    : command.secret && config[command.secret.variable];
  const secret = given === '' ? undefined : given;
  if (command.secret?.required && secret === undefined) {
    throw new UsageError(
      `The ${command.secret.description} must be given: pass --${command.secret.flag} and write it to standard input, or set ${command.secret.variable}.`,
    );
  }
  const database = openDatabase({
    url: config.DATABASE_URL,
    applicationName: 'admin',
    maxConnections: 2,
  });
  try {
    const clock = await followDatabaseClock(database);
    try {
      const administration = createAdministration({ database, clock, ...(sealer && { sealer }) });
      const { progress = () => undefined } = input;
      const parts = { database, clock, sealer, progress };
      return await command.run(administration, { ...values, secret }, parts);
    } finally {
      clock.stop();
    }
  } finally {
    await database.end();
  }
}

function sealerFrom(env: Environment): Sealer {
  const { SEALING_KEYS } = parseConfig(sealingAdminVariables, env);
  return createSealer(SEALING_KEYS.map(({ id, key }) => ({ id, key: Buffer.from(key) })));
}

export const json = (value: unknown): string => JSON.stringify(value, undefined, 2);

/** One clear sentence for whatever was thrown, without values that may be secret. */
export function faultOf(error: unknown): string {
  const isSaid =
    error instanceof UsageError ||
    error instanceof ConfigError ||
    error instanceof BadFinding ||
    error instanceof RolesFault;
  if (isSaid) {
    return error.message;
  }
  if (error instanceof Problem) return sentenceOf(error);
  const code = systemCodeOf(error);
  if (code === '42P01') {
    return 'The database has no tables yet: run "npm run admin -- migrate" first.';
  }
  if (code === '42501') {
    return `The role of DATABASE_URL may not do that (${messageOf(error)}): "roles" is for somebody who may create roles, "migrate" for the migrations’ role, all else for that of admin; see docs/operations.md, "Database roles".`;
  }
  if (code !== undefined) return `The database cannot be used (${code}): check DATABASE_URL.`;
  return `That failed: ${messageOf(error)}`;
}

const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);

function sentenceOf({ code, message, whatToDo, details }: Problem): string {
  if (code === 'invalid_request') {
    const faults = details['faults'] as readonly { path: string; message: string }[];
    return faults.map(({ path, message: fault }) => `${optionOf(path)}: ${fault}`).join('; ') + '.';
  }
  if (code === 'not_found') {
    const what = details['what'];
    return `There is no such ${typeof what === 'string' ? what : 'entry'}.`;
  }
  if (code === 'already_exists') {
    return `There is one with this ${optionOf(details['field'] as string)} already.`;
  }
  return `${message} ${whatToDo}`;
}

const optionOf = (path: string): string =>
  `--${(path.split('.')[0] ?? '').replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
