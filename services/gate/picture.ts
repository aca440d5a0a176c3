import { Problem } from '../../domain/errors.ts';
import type { GatePicture } from '../../infra/postgres/gate-picture.ts';
import { startStopwatch, type HostClock } from '../../infra/postgres/host-clock.ts';

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
  /** For the age. */
  readonly host?: HostClock;
  readonly readEveryMs: number;
  readonly staleAfterMs: number;
  readonly onError: (error: unknown) => void;
};

/**
 * Keeps a picture of the facts in memory: read every few seconds, sooner when hastened, one read at a time. The age counts from the beginning of a read:
 * what was committed before it is in it. Neither a clock that is set back nor a machine that slept makes an old picture young.
 */
export function keepPicture(options: PictureOptions): Picture {
  const { read, now, readEveryMs, staleAfterMs, onError, host } = options;
  let current: { picture: GatePicture; asOf: Date; age: () => number } | undefined;
  let reading: Promise<void> | undefined;
  let next: Promise<void> | undefined;

  const readOnce = async (): Promise<void> => {
    const age = startStopwatch(host);
    const asOf = now();
    const picture = await read();
    current = { picture, asOf, age };
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
  const ageMs = (): number => current?.age() ?? Infinity;

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
