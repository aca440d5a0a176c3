export type Say = (line: string) => void;

/** Says what is being done and how long it took. */
export type Progress = {
  readonly say: Say;
  step<T>(what: string, work: () => Promise<T>): Promise<T>;
};

export function createProgress(say: Say): Progress {
  return {
    say,
    async step(what, work) {
      say(`${what} ...`);
      const startedAt = performance.now();
      const result = await work();
      say(`${what}: done in ${secondsSince(startedAt)} s`);
      return result;
    },
  };
}

export const secondsSince = (startedAt: number): string =>
  ((performance.now() - startedAt) / 1000).toFixed(1);
