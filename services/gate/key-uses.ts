import type { Clock } from '../../domain/clock.ts';
import type { ApiKeyUse } from '../../infra/postgres/api-keys.ts';

export type KeyUses = {
  /** Costs an entry in a map. */
  note(secret: Omit<ApiKeyUse, 'at'>): void;
  /** Writes what was noted since the last time. Never rejects. */
  write(): Promise<void>;
  /** Writes a last time. */
  stop(): Promise<void>;
};

type Options = {
  readonly write: (uses: readonly ApiKeyUse[]) => Promise<void>;
  readonly clock: Clock;
  readonly everyMs: number;
  readonly onError: (error: unknown) => void;
};

/**
 * Remembers when each secret was last used and writes that down from time to time, one statement for all of them: requests do not wait for it. What could not
 * be written is kept for the next time; a gate that is killed forgets what came since the last one.
 */
export function keepKeyUses({ write, clock, everyMs, onError }: Options): KeyUses {
  const noted = new Map<string, ApiKeyUse>();
  let writing: Promise<void> | undefined;

  const flush = async (): Promise<void> => {
    const uses = [...noted];
    if (uses.length === 0) return;
    await write(uses.map(([, use]) => use));
    for (const [hash, use] of uses) if (noted.get(hash) === use) noted.delete(hash);
  };
  const writeNow = (): Promise<void> =>
    (writing ??= flush()
      .catch(onError)
      .finally(() => {
        writing = undefined;
      }));
  const timer = setInterval(() => void writeNow(), everyMs);

  return {
    note({ keyHash, apiKeyId }) {
      noted.set(keyHash.toString('hex'), { keyHash, apiKeyId, at: clock.now() });
    },
    write: writeNow,
    async stop() {
      clearInterval(timer);
      await writing;
      await writeNow();
    },
  };
}
