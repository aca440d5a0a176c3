import type { QueryClient } from '@tanstack/react-query';
import { keys } from './queries.ts';

/** How the page learns of changes: told by the server, by asking now and then, or not at all. */
export type Liveness = 'live' | 'polling' | 'offline';

type Change = { readonly certificateId: string | null; readonly what: string };

const pollMs = 15_000;
const reopenMs = 5_000;
/** Lists are read as a whole: a burst of changes reads them once. */
const listPauseMs = 1_000;

/**
 * Listens to `/api/events` and marks what was read as old, so that whatever is on the screen is read again. A stream that ends is opened again; while there is
 * none, everything is read every 15 s. Answers how to stop.
 */
export function followChanges(
  queryClient: QueryClient,
  onLiveness: (liveness: Liveness) => void,
): () => void {
  let source: EventSource | undefined;
  let isOpen = false;
  let reopening: number | undefined;
  let lists: number | undefined;

  const everything = (): void => void queryClient.invalidateQueries();
  const tell = (): void => {
    onLiveness(!navigator.onLine ? 'offline' : isOpen ? 'live' : 'polling');
  };
  const onChanged = ({ data }: MessageEvent<string>): void => {
    const { certificateId, what } = JSON.parse(data) as Change;
    if (certificateId === null) {
      everything();
      return;
    }
    void queryClient.invalidateQueries({ queryKey: keys.certificate(certificateId) });
    if (what === 'renewal') void queryClient.invalidateQueries({ queryKey: ['renewal'] });
    lists ??= window.setTimeout(() => {
      lists = undefined;
      for (const queryKey of [keys.certificates, keys.renewals, keys.attention]) {
        void queryClient.invalidateQueries({ queryKey });
      }
    }, listPauseMs);
  };
  const open = (): void => {
    source?.close();
    window.clearTimeout(reopening);
    // Closing tells of nothing; until the new one is open, changes are asked for.
    isOpen = false;
    source = new EventSource('/api/events');
    source.addEventListener('changed', onChanged as (event: Event) => void);
    source.addEventListener('open', () => {
      isOpen = true;
      tell();
      // What changed while nobody listened.
      everything();
    });
    source.addEventListener('error', () => {
      isOpen = false;
      tell();
      // The browser opens a broken stream again by itself, but not one that was refused: perhaps because the session has ended.
      if (source?.readyState === EventSource.CLOSED) {
        void queryClient.invalidateQueries({ queryKey: keys.session });
        reopening = window.setTimeout(open, reopenMs);
      }
    });
  };
  const polling = window.setInterval(() => {
    if (!isOpen && navigator.onLine && !document.hidden) everything();
  }, pollMs);
  const onNetwork = (): void => {
    // A stream from before may be dead without the browser knowing.
    if (navigator.onLine) open();
    tell();
  };

  window.addEventListener('online', onNetwork);
  window.addEventListener('offline', onNetwork);
  open();
  return () => {
    window.removeEventListener('online', onNetwork);
    window.removeEventListener('offline', onNetwork);
    window.clearInterval(polling);
    window.clearTimeout(reopening);
    window.clearTimeout(lists);
    source?.close();
  };
}
