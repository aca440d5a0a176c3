import { unpatchedPrototypeOf } from './internals.ts';

type RequestQueue = {
  readonly pending: readonly unknown[];
  readonly throttledUntil: number;
  scheduleCheckPendingRequests(): void;
};

/**
 * kafkajs looks for waiting requests every millisecond, also when there are none: 7 % of a core while idle (tulios/kafkajs#1556, #1667; measured in
 * reference/kafka.md 1.3). With nothing waiting and nothing throttled there is nothing to look for.
 */
export function patchIdleLoop(): void {
  const prototype = unpatchedPrototypeOf<RequestQueue>('network/requestQueue');
  const schedule: unknown = prototype && Reflect.get(prototype, 'scheduleCheckPendingRequests');
  if (prototype === undefined || typeof schedule !== 'function') return;
  prototype.scheduleCheckPendingRequests = function () {
    if (this.pending.length === 0 && this.throttledUntil <= Date.now()) return;
    Reflect.apply(schedule, this, []);
  };
}
