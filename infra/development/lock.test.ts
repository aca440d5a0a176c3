import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { withLock } from './lock.mjs';
import { installFolder } from './installed-folder.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lock-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe('A lock', () => {
  it('lets one in at a time and is gone at the end, also after an error', async () => {
    const file = join(folder, 'lock');
    let inside = 0;
    let most = 0;
    const work = async (): Promise<void> => {
      most = Math.max(most, ++inside);
      await pause(5);
      inside--;
      throw new Error('work failed');
    };
    const results = await Promise.allSettled([1, 2, 3].map(() => withLock(file, work)));
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    expect(most).toBe(1);
    expect(existsSync(file)).toBe(false);
  });

  it('of a process that has died is taken over', async () => {
    const file = join(folder, 'lock');
    const dead = spawnSync(process.execPath, ['-e', '']).pid;
    writeFileSync(file, String(dead));
    expect(await withLock(file, () => Promise.resolve('done'))).toBe('done');
  });
});

describe('An installed folder', () => {
  it('is there whole or not at all, and is filled once by those who ask at the same time', async () => {
    const target = join(folder, 'part');
    await expect(
      installFolder(target, (aside) => {
        writeFileSync(join(aside, 'half'), '');
        return Promise.reject(new Error('download failed'));
      }),
    ).rejects.toThrow('download failed');
    expect(existsSync(target)).toBe(false);

    const fill = (aside: string): Promise<void> => {
      expect(existsSync(join(aside, 'half'))).toBe(false);
      writeFileSync(join(aside, 'whole'), '');
      return Promise.resolve();
    };
    const done = await Promise.all([installFolder(target, fill), installFolder(target, fill)]);
    expect(done.filter(Boolean)).toHaveLength(1);
    expect(existsSync(join(target, 'whole'))).toBe(true);
  });
});
