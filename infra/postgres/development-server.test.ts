import { spawn } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { createGuardian, type Guardian } from '../development/guardian.ts';
import { freePort } from '../development/ports.ts';
import {
  createDatabase,
  dropDatabase,
  removePostgresData,
  startPostgres,
  type RunningPostgres,
} from './development-server.ts';

const isRoot = process.getuid?.() === 0;
let folder: string;
let dataDir: string;
let guardian: Guardian;
const notices: string[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'postgres-'));
  chmodSync(folder, 0o755);
  dataDir = join(folder, 'postgres');
  guardian = createGuardian();
  notices.length = 0;
});
afterEach(async () => {
  await guardian.close();
  await removePostgresData(dataDir);
  rmSync(folder, { recursive: true, force: true });
});

const start = async (): Promise<RunningPostgres> =>
  startPostgres({
    guardian,
    dataDir,
    port: await freePort(),
    logFile: join(folder, 'postgres.log'),
    onNotice: (notice) => notices.push(notice),
  });

async function ask(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows.flatMap((row) =>
      Object.values(row),
    );
  } finally {
    await client.end();
  }
}

const pidFile = (): string => join(dataDir, 'data', 'postmaster.pid');

describe('The development PostgreSQL', () => {
  it('keeps its data over a restart and after being killed', async () => {
    const first = await start();
    await ask(first.url, 'create table kept as select 42 as answer');
    await first.stop();

    const second = await start();
    expect(await ask(second.url, 'select answer from kept')).toEqual([42]);
    process.kill(Number.parseInt(readFileSync(pidFile(), 'utf8'), 10), 'SIGKILL');
    await second.exited;
    expect(existsSync(pidFile())).toBe(true);

    const third = await start();
    expect(await ask(third.url, 'select answer from kept')).toEqual([42]);
  });

  it('starts although another process has the number of a server that was killed', async () => {
    await (await start()).stop();
    const { uid, gid } = statSync(join(dataDir, 'data'));
    const other = spawn('sleep', ['1000'], { uid, gid, cwd: '/' });
    try {
      writeFileSync(pidFile(), `${other.pid ?? 0}\n${join(dataDir, 'data')}\n`);
      const { url } = await start();
      expect(await ask(url, 'select 1')).toEqual([1]);
    } finally {
      other.kill('SIGKILL');
    }
  });

  it('lets nobody in without its password', async () => {
    const { url } = await start();
    const wrong = new URL(url);
    wrong.password = 'wrong';
    await expect(ask(wrong.href, 'select 1')).rejects.toThrow('password authentication failed');
    expect(statSync(join(dataDir, 'password')).mode & 0o077).toBe(0);
  });

  it('copies a template database, also several times at once', async () => {
    const { url } = await start();
    await ask(await createDatabase(url, 'template_a'), 'create table seeded as select 7 as n');
    const copies = await Promise.all(
      ['copy_1', 'copy_2', 'copy_3'].map((name) => createDatabase(url, name, 'template_a')),
    );
    for (const copy of copies) expect(await ask(copy, 'select n from seeded')).toEqual([7]);
    await dropDatabase(url, 'copy_1');
    await expect(ask(copies[0] ?? '', 'select 1')).rejects.toThrow('does not exist');
  });

  it('runs below a folder that only its owner may enter, and says where the data went if it had to', async () => {
    chmodSync(folder, 0o700);
    const first = await start();
    await ask(first.url, 'create table kept as select 42 as answer');
    await first.stop();
    const second = await start();
    expect(await ask(second.url, 'select answer from kept')).toEqual([42]);
    // Only root has to run the server as another user.
    const sentence = /cannot reach .*postgres: its data lies in \/var\/tmp\/certificate-access-/;
    expect(notices.filter((notice) => sentence.test(notice))).toHaveLength(isRoot ? 2 : 0);
  });
});
