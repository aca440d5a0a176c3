import { performance } from 'node:perf_hooks';

/**
 * Sets the clocks of this process wrong by so many seconds, whoever in it asks: a test sees what the product does on a host whose clock is wrong. The
 * configuration accepts it in tests only.
 */
export function setClocksWrong(seconds: number): void {
  const wrongMs = seconds * 1000;
  const [rightNow, rightMonotonic] = [Date.now.bind(Date), performance.now.bind(performance)];
  Date.now = () => rightNow() + wrongMs;
  performance.now = () => rightMonotonic() + wrongMs;
  const right = Date;
  globalThis.Date = new Proxy(right, {
    construct: (target, given: unknown[], newTarget) =>
      Reflect.construct(target, given.length === 0 ? [right.now()] : given, newTarget) as Date,
    apply: () => new Date().toString(),
  });
}
