import { NotReady, type Dependencies } from './health.ts';

export type LastUse = {
  readonly used: (isReached: boolean) => void;
  /** For /readyz, where the service is ready without it. */
  readonly dependency: Dependencies[string];
};

/** What the last use of an outside part came to. To ask it for the sake of /readyz would cost it something each time, and tell no more. */
export function createLastUse(): LastUse {
  let last: { readonly isReached: boolean; readonly atMs: number } | undefined;
  return {
    used(isReached) {
      last = { isReached, atMs: performance.now() };
    },
    dependency: {
      required: false,
      check() {
        if (last === undefined) return Promise.resolve('not used yet');
        const ago = `${((performance.now() - last.atMs) / 1000).toFixed(0)} s ago`;
        return last.isReached
          ? Promise.resolve(`answered ${ago}`)
          : Promise.reject(new NotReady(`did not answer ${ago}`));
      },
    },
  };
}
