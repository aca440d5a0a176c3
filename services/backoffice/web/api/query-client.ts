import { QueryClient } from '@tanstack/react-query';
import { isProblem, Unanswered } from './client.ts';

/** What is shown is read again when the page gets the focus, when the network is back, and when the server says that something changed (live.ts). */
export function createQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 5_000,
        gcTime: 10 * 60_000,
        // Only what may be otherwise a moment later.
        retry: (failures, error) =>
          failures < 2 && (error instanceof Unanswered || isProblem(error, 'unavailable')),
        retryDelay: (failures) => 500 * 2 ** failures,
        // Offline, a call fails at once and the screen says so, rather than waiting without a word.
        networkMode: 'always',
      },
      // A change is never repeated by a machine: it may have been carried out with only the answer lost.
      mutations: { retry: false, networkMode: 'always' },
    },
  });
}
