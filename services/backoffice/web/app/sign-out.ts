import { useMutation, useQueryClient } from '@tanstack/react-query';
import { call, isProblem } from '../api/client.ts';

/** Signs out, or was already; then nothing of it stays in the page. While it is not known to have happened the page stays, with the fault to be told. */
export function useSignOut() {
  const client = useQueryClient();
  return useMutation({
    async mutationFn() {
      try {
        await call('DELETE', '/api/session');
      } catch (error) {
        if (!isProblem(error, 'session_required')) throw error;
      }
    },
    onSuccess() {
      client.clear();
      window.location.assign('/certificates');
    },
  });
}
