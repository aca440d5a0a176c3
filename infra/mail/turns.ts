export type Turns = {
  /** Resolves with true when it is one's turn, to be given back by `done`; with false when that was not so within `ms`. */
  take(ms: number): Promise<boolean>;
  done(): void;
};

/** So many at once; the others wait, first come first served. */
export function createTurns(most: number): Turns {
  let free = most;
  const waiting: (() => void)[] = [];
  return {
    take(ms) {
      if (free > 0) {
        free -= 1;
        return Promise.resolve(true);
      }
      return new Promise((resolve) => {
        const called = (): void => {
          clearTimeout(timer);
          resolve(true);
        };
        const timer = setTimeout(() => {
          waiting.splice(waiting.indexOf(called), 1);
          resolve(false);
        }, ms);
        waiting.push(called);
      });
    },
    done() {
      const next = waiting.shift();
      if (next === undefined) free += 1;
      else next();
    },
  };
}
