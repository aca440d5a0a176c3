import { useMutation } from '@tanstack/react-query';
import { call, isProblem } from '../api/client.ts';

/** Signs out, or was already; then nothing of it stays in the page. While it is not known to have happened the page stays, with the fault to be told. */
export function useSignOut() {
  return useMutation({
    async mutationFn() {
      try {
        await call('DELETE', '/api/session');
      } catch (error) {
        if (!isProblem(error, 'session_required')) throw error;
      }
    },
    onSuccess() {
      // Where Back would bring the page as it was left, with all that was seen.
      window.addEventListener('pageshow', () => window.location.reload());
      // What was read goes with the page. Taken away before, it would be read again, and refused, by whatever is still shown.
      window.location.assign('/certificates');
    },
  });
}
