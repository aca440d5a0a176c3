import { useQueryClient } from '@tanstack/react-query';
import { call } from '../api/client.ts';

/** Signed out by now, or already before: either way nothing of it stays in the page. */
export function useSignOut(): () => Promise<void> {
  const client = useQueryClient();
  return async () => {
    await call('DELETE', '/api/session').catch(() => undefined);
    client.clear();
    window.location.assign('/certificates');
  };
}
