/**
 * The server's clock, as far as its answers tell it. It runs on the browser's monotonic clock, so a machine whose wall clock is wrong, or is set while the page is
 * open, counts right all the same.
 */
type Anchor = { readonly serverMs: number; readonly monotonicMs: number };

let anchor: Anchor | undefined;

/** `askedAtMs` is `performance.now()` from before the call: what is shown never has more time left than there is. */
export function syncServerClock(serverNow: string, askedAtMs: number): void {
  const serverMs = Date.parse(serverNow);
  // The answer was made between asking and now: the later it counts as made, the more time would seem to be left.
  if (!Number.isNaN(serverMs)) anchor = { serverMs, monotonicMs: askedAtMs };
}

/** Milliseconds since 1970 by the server's clock; the machine's own before the first answer. */
export function serverNowMs(): number {
  if (anchor === undefined) return Date.now();
  return anchor.serverMs + (performance.now() - anchor.monotonicMs);
}
