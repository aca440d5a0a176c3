import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { call } from '../../../api/client.ts';

/**
 * Starts a renewal and goes to the CA. One's own open renewal is replaced by it; a colleague's only with `takeOver`. When the browser comes back to this page as it
 * was left (Back from the CA), it is as before the click.
 */
export function useStartRenewal(certificateId: string) {
  const client = useQueryClient();
  const [isGoing, setGoing] = useState(false);
  const [error, setError] = useState<unknown>(null);
  useEffect(() => {
    const onShow = ({ persisted }: PageTransitionEvent): void => {
      if (!persisted) return;
      setGoing(false);
      void client.invalidateQueries();
    };
    window.addEventListener('pageshow', onShow);
    return () => window.removeEventListener('pageshow', onShow);
  }, [client]);

  const start = async (takeOver = false): Promise<void> => {
    setGoing(true);
    setError(null);
    try {
      const { redirectTo } = await call<{ readonly redirectTo: string }>(
        'POST',
        `/api/certificates/${encodeURIComponent(certificateId)}/renewals`,
        { body: { takeOver } },
      );
      window.location.assign(redirectTo);
    } catch (fault) {
      setError(fault);
      setGoing(false);
      // It was refused because something is otherwise than it is shown here.
      void client.invalidateQueries();
    }
  };
  return { start, isGoing, error };
}
