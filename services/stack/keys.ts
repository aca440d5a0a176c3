import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** Secrets of one development stack: made once, kept with the data they belong to. */
export type StackKeys = {
  /** Value of SEALING_KEYS. */
  readonly sealingKeys: string;
};

export async function loadKeys(dataFolder: string): Promise<StackKeys> {
  return keep(join(dataFolder, 'keys.json'), () => ({
    sealingKeys: `development-1:${randomBytes(32).toString('base64')}`,
  }));
}

/** What the file says, or what `make` makes and the file then keeps, readable by its owner only. */
async function keep<T>(file: string, make: () => T): Promise<T> {
  const kept = await readJson<T>(file);
  if (kept !== undefined) return kept;
  const made = make();
  await writePrivate(file, JSON.stringify(made, undefined, 2));
  return made;
}

export async function readJson<T>(file: string): Promise<T | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as T;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Whole or not at all, mode 0600. */
export async function writePrivate(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(`${file}.new`, `${text}\n`, { mode: 0o600 });
  await rename(`${file}.new`, file);
}
