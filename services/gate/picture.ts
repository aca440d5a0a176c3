import { Problem } from '../../domain/errors.ts';
import type { GatePicture } from '../../infra/postgres/gate-picture.ts';

/** The facts as the gate last read them. */
export type Picture = {
  /** Throws `picture_stale` when the last complete read began too long ago. */
  get(): { readonly picture: GatePicture; readonly asOf: Date };
  /** Reads again soon: at once, or right after the read under way. */
  hasten(): void;
  /** Resolves when a read that began after this call is complete; rejects when it fails. */
  readNow(): Promise<void>;
  ageSeconds(): number;
  /** Begins no read any more, and waits for the one under way. */
  stop(): Promise<void>;
};

type PictureOptions = {
  readonly read: () => Promise<GatePicture>;
  /** Of the one clock, for `asOf`. */
  readonly now: () => Date;
  /** Monotonic ms, for the age: no clock that is set back makes an old picture young. */
  readonly monotonicMs?: () => number;
  readonly readEveryMs: number;
  readonly staleAfterMs: number;
  readonly onError: (error: unknown) => void;
};

/**
 * Keeps a picture of the facts in memory: read every few seconds, sooner when hastened, one read at a time. The age counts from the beginning of a read:
 * what was committed before it is in it.
 */
export function keepPicture(options: PictureOptions): Picture {
  const { read, now, readEveryMs, staleAfterMs, onError } = options;
  const monotonicMs = options.monotonicMs ?? (() => performance.now());
  let current: { picture: GatePicture; asOf: Date; beganMs: number } | undefined;
  let reading: Promise<void> | undefined;
  let next: Promise<void> | undefined;

  const readOnce = async (): Promise<void> => {
    const beganMs = monotonicMs();
    const asOf = now();
    const picture = await read();
    current = { picture, asOf, beganMs };
  };
  let isOver = false;
  const start = (): Promise<void> => {
    // What was asked for while the last read was under way is not begun any more.
    if (isOver) return Promise.resolve();
    reading = readOnce().finally(() => {
      reading = undefined;
    });
    return reading;
  };
  const readNow = (): Promise<void> => {
    if (reading === undefined) return start();
    // Everybody who asks while a read is under way shares the one after it.
    next ??= reading
      .catch(() => undefined)
      .then(() => {
        next = undefined;
        return start();
      });
    return next;
  };
  const hasten = (): void => {
    readNow().catch(onError);
  };
  const timer = setInterval(hasten, readEveryMs);
  const ageMs = (): number => (current === undefined ? Infinity : monotonicMs() - current.beganMs);

  return {
    get() {
      if (current === undefined || ageMs() > staleAfterMs) throw new Problem('picture_stale');
      return current;
    },
    hasten,
    readNow,
    ageSeconds: () => ageMs() / 1000,
    async stop() {
      isOver = true;
      clearInterval(timer);
      await reading?.catch(() => undefined);
    },
  };
}
