/** `known` goes before `anybody`, whatever came first. */
export type Lane = 'known' | 'anybody';

export type WorkQueue = {
  /** Whether work of this lane would be taken now. */
  hasRoom(lane: Lane): boolean;
  /** Runs the work when it is its turn. Answers undefined, without having run it, when too much of its lane waits already. */
  run<T>(lane: Lane, work: () => Promise<T>): Promise<T> | undefined;
};

/** Work that is dear: so much at once and no more, and so much that waits for it in each lane. */
export function createWorkQueue({
  atOnce,
  mostWaiting,
}: {
  readonly atOnce: number;
  readonly mostWaiting: number;
}): WorkQueue {
  const waiting: Readonly<Record<Lane, (() => void)[]>> = { known: [], anybody: [] };
  let running = 0;

  const hasRoom = (lane: Lane): boolean => running < atOnce || waiting[lane].length < mostWaiting;
  const turn = (lane: Lane): Promise<void> => {
    if (running < atOnce) {
      running += 1;
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      waiting[lane].push(resolve);
    });
  };
  const pass = (): void => {
    const next = waiting.known.shift() ?? waiting.anybody.shift();
    // Whoever is next takes the place over.
    if (next === undefined) running -= 1;
    else next();
  };

  return {
    hasRoom,
    run(lane, work) {
      if (!hasRoom(lane)) return undefined;
      return turn(lane).then(work).finally(pass);
    },
  };
}
