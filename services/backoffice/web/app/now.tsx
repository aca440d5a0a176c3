import { useEffect, useReducer } from 'react';
import { serverNowMs } from '../api/server-clock.ts';

/** The server's time in ms at each rendering, which comes at least every `everyMs`: half a minute is enough where seconds are not shown. */
export function useNow(everyMs = 30_000): number {
  const [, tick] = useReducer((ticks: number) => ticks + 1, 0);
  useEffect(() => {
    const timer = setInterval(tick, everyMs);
    // A tab that was asleep is right again at once.
    document.addEventListener('visibilitychange', tick);
    return () => {
      clearInterval(timer);
      document.removeEventListener('visibilitychange', tick);
    };
  }, [everyMs]);
  return serverNowMs();
}
