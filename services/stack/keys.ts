import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { newRolePasswords, type DatabaseRole } from '../../infra/postgres/roles.ts';

/** Secrets of one development stack: made once, kept with the data they belong to. */
export type StackKeys = {
  /** Value of SEALING_KEYS. */
  readonly sealingKeys: string;
  readonly rolePasswords: Readonly<Record<DatabaseRole, string>>;
};

/** What the file says; what an older release did not put there is made and kept too. */
export async function loadKeys(dataFolder: string): Promise<StackKeys> {
  const file = join(dataFolder, 'keys.json');
  const kept = await readJson<Partial<StackKeys>>(file);
  const keys: StackKeys = {
    sealingKeys: kept?.sealingKeys ?? `development-1:${randomBytes(32).toString('base64')}`,
    rolePasswords: { ...newRolePasswords(), ...kept?.rolePasswords },
  };
  await writePrivate(file, JSON.stringify(keys, undefined, 2));
  return keys;
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
