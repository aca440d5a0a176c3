import { createRequire } from 'node:module';

type RequestQueue = {
  readonly pending: readonly unknown[];
  readonly throttledUntil: number;
};
type RequestQueueClass = {
  readonly prototype: { scheduleCheckPendingRequests(this: RequestQueue): void };
};

const patched = new WeakSet<object>();

/**
 * kafkajs 2.2.4 looks for waiting requests every millisecond, also when there are none: 7 % of a core while idle (tulios/kafkajs#1556, #1667; measured in
 * reference/kafka.md 1.3). With nothing waiting and nothing throttled there is nothing to look for. Another version is left as it is.
 */
export function patchIdleLoop(): void {
  const require = createRequire(import.meta.url);
  const { version } = require('kafkajs/package.json') as { version: string };
  if (version !== '2.2.4') return;
  const { prototype } = require('kafkajs/src/network/requestQueue') as RequestQueueClass;
  if (patched.has(prototype)) return;
  patched.add(prototype);
  const schedule: unknown = Reflect.get(prototype, 'scheduleCheckPendingRequests');
  if (typeof schedule !== 'function') return;
  prototype.scheduleCheckPendingRequests = function (this: RequestQueue) {
    if (this.pending.length === 0 && this.throttledUntil <= Date.now()) return;
    Reflect.apply(schedule, this, []);
  };
}
