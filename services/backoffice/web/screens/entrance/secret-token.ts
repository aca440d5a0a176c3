import { useEffect, useState } from 'react';

const fragment = (): string => window.location.hash.slice(1);

/** The fragment of the address that this page was opened by, or a newer one in the same tab; taken out of the address, and so out of the history, at once. */
export function useSecretToken(): string {
  const [token, setToken] = useState(fragment);
  useEffect(() => {
    const hide = (): void => window.history.replaceState(null, '', window.location.pathname);
    const take = (): void => {
      if (fragment() === '') return;
      setToken(fragment());
      hide();
    };
    hide();
    window.addEventListener('hashchange', take);
    return () => window.removeEventListener('hashchange', take);
  }, []);
  return token;
}
