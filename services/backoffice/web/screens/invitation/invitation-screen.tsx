import type { WhoAmI } from '../../api/contract.ts';
import type { Language } from '../../language/languages.ts';
import { SignInScreen } from '../sign-in/sign-in-screen.tsx';

/** Whether the page was opened by the link of an invitation. */
export const isInvitation = (): boolean => window.location.pathname === '/invitation';

export function InvitationScreen(props: {
  readonly onLanguage: (language: Language) => void;
  readonly onSignedIn: (who: WhoAmI) => void;
}) {
  return <SignInScreen {...props} />;
}
