import { createContext, use, type ReactNode } from 'react';
import type { Permission, WhoAmI } from '../api/contract.ts';

const SessionContext = createContext<WhoAmI | undefined>(undefined);

export function SessionProvider({
  session,
  children,
}: {
  readonly session: WhoAmI;
  readonly children: ReactNode;
}) {
  return <SessionContext value={session}>{children}</SessionContext>;
}

/** Who is signed in. Only inside of what is shown to somebody who is. */
export function useSession(): WhoAmI {
  const session = use(SessionContext);
  if (session === undefined) throw new Error('nobody is signed in here');
  return session;
}

/** What the operator may do in an account: mirrored here, so that nobody is offered what the server would refuse. */
export function useMay(accountId: string): (permission: Permission) => boolean {
  const account = useSession().accounts.find(({ id }) => id === accountId);
  return (permission) => account?.permissions.includes(permission) === true;
}
