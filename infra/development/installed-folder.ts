import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm } from 'node:fs/promises';
import { withLock } from './lock.mjs';

/**
 * Sees that `folder` is there and whole: `fill` puts its content into a folder aside, which is renamed when whole. One process of the
 * machine does so at a time; what an interrupted one left behind is removed. Answers whether anything had to be done.
 */
export async function installFolder(
  folder: string,
  fill: (emptyFolder: string) => Promise<void>,
): Promise<boolean> {
  if (existsSync(folder)) return false;
  return withLock(`${folder}.lock`, async () => {
    if (existsSync(folder)) return false;
    const aside = `${folder}.partial`;
    await rm(aside, { recursive: true, force: true });
    await mkdir(aside, { recursive: true });
    await fill(aside);
    await rename(aside, folder);
    return true;
  });
}

/** Short and the same as long as the file is the same: names what was installed by it, so that a changed list is installed anew. */
export async function hashOf(file: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(file))
    .digest('hex')
    .slice(0, 12);
}
