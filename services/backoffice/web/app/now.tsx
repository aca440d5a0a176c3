import { useEffect, useState } from 'react';
import { serverNowMs } from '../api/server-clock.ts';

/** The server's time in ms, anew every `everyMs`: half a minute is enough where seconds are not shown. */
export function useNow(everyMs = 30_000): number {
  const [now, setNow] = useState(serverNowMs);
  useEffect(() => {
    const timer = setInterval(() => {
      setNow(serverNowMs());
    }, everyMs);
    return () => {
      clearInterval(timer);
    };
  }, [everyMs]);
  return now;
}
