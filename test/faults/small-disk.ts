import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { mkdir, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Guardian } from '../../infra/development/guardian.ts';

export type SmallDisk = {
  readonly folder: string;
  /** Leaves not a byte. */
  fill(): Promise<void>;
  free(): Promise<void>;
};

/** Mounts, says so, and unmounts when it is told to end, whatever still lies there. */
const holdMount = `
mount -t tmpfs -o size="$1",mode=0755 tmpfs "$2" || exit 1
trap 'umount -l "$2"' EXIT
trap 'exit 0' TERM INT
echo mounted
while :; do sleep 1; done
`;

const root = fileURLToPath(new URL('../../', import.meta.url));
/** As root runs PostgreSQL (infra/postgres/development-server.ts). */
const nobody = { uid: 65_534, gid: 65_534 };

/**
 * Whether this machine lets a test mount a file system, and PostgreSQL's user reach it. Tried, not reckoned: users, capabilities and sandboxes all have
 * their say.
 */
export function canMountDisks(): boolean {
  if (spawnSync('ls', [root], { ...nobody, cwd: '/', stdio: 'ignore' }).status !== 0) return false;
  const folder = mkdtempSync(join(tmpdir(), 'certificate-access-mount-'));
  try {
    const script = 'mount -t tmpfs -o size=64k tmpfs "$1" && umount "$1"';
    return spawnSync('sh', ['-c', script, 'sh', folder], { stdio: 'ignore' }).status === 0;
  } finally {
    rmdirSync(folder);
  }
}

/** A file system of its own in memory. It goes with the guardian, also when the test is killed. */
export async function mountSmallDisk(
  guardian: Guardian,
  folder: string,
  megabytes: number,
): Promise<SmallDisk> {
  await mkdir(folder, { recursive: true });
  await new Promise<void>((resolve, reject) => {
    guardian
      .start({
        name: 'small disk',
        command: 'sh',
        args: ['-c', holdMount, 'sh', `${megabytes}m`, folder],
        onLine(line) {
          if (line === 'mounted') resolve();
          else reject(new Error(line));
        },
      })
      .catch(reject);
  });
  const filling = join(folder, 'filling');
  return {
    folder,
    async fill() {
      const file = await open(filling, 'w');
      try {
        for (let piece = Buffer.alloc(1_048_576); piece.length > 0;) {
          try {
            await file.appendFile(piece);
          } catch (error) {
            if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
            piece = piece.subarray(0, piece.length >> 1);
          }
        }
      } finally {
        await file.close();
      }
    },
    free: () => rm(filling, { force: true }),
  };
}
