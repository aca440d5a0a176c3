import { QueryClientProvider, useQuery, useQueryClient } from '@tanstack/react-query';
import { lazy, Suspense, useEffect, useRef, useState, type ReactNode } from 'react';
import { isProblem, onRoleRefused, onSessionEnded } from '../api/client.ts';
import type { WhoAmI } from '../api/contract.ts';
import { keys, sessionQuery } from '../api/queries.ts';
import { createQueryClient } from '../api/query-client.ts';
import { Skeleton } from '../design/skeleton.tsx';
import { LanguageProvider } from '../language/language.tsx';
import { nearestLanguage, type Language } from '../language/languages.ts';
import { words } from '../language/words.ts';
import { SessionEndedDialog, SignInScreen } from '../screens/sign-in/sign-in-screen.tsx';
import { CrashBoundary } from './crash-boundary.tsx';
import { FaultNotice } from './fault.tsx';
import { SessionProvider } from './session.tsx';
import { Shell } from './shell.tsx';
import styles from './app.module.css';

// What whoever signs in with a password does not need.
const InvitationScreen = lazy(() => import('../screens/invitation/invitation-screen.tsx'));
const ForgotPasswordScreen = lazy(() => import('../screens/password/forgot-password-screen.tsx'));
const PasswordResetScreen = lazy(() => import('../screens/password/password-reset-screen.tsx'));

const queryClient = createQueryClient();

export function App() {
  return (
    <QueryClientProvider client={queryClient}>
      <Entrance />
    </QueryClientProvider>
  );
}

/** Who is signed in sees the product; who is not signs in, and goes on at the address he came for. */
function Entrance() {
  const [language, setLanguage] = useState(rememberedLanguage);
  const session = useQuery(sessionQuery);
  const client = useQueryClient();
  const [hasEnded, setEnded] = useState(false);
  useEffect(() => onSessionEnded(() => setEnded(true)), []);
  useForgetsForOthers(session.data?.operator.id);
  useEffect(() => onRoleRefused(() => void client.invalidateQueries()), [client]);

  const signedIn = (who: WhoAmI): void => {
    client.setQueryData(keys.session, who);
    setEnded(false);
    rememberLanguage(nearestLanguage([who.operator.locale]));
    void client.invalidateQueries();
  };
  const speak = (next: Language): void => {
    rememberLanguage(next);
    setLanguage(next);
  };

  /** What somebody without a session comes for by its address. */
  const doorAt = (path: string): ReactNode => {
    switch (path) {
      case '/invitation':
        return <InvitationScreen onLanguage={speak} onSignedIn={signedIn} />;
      case '/forgot-password':
        return <ForgotPasswordScreen onLanguage={speak} />;
      case '/password-reset':
        return <PasswordResetScreen onLanguage={speak} />;
      default:
        return null;
    }
  };
  const loading = (
    <main className={styles.alone}>
      <Skeleton label={words[language].loading} />
    </main>
  );
  const door = doorAt(window.location.pathname);
  if (door !== null) {
    return (
      <LanguageProvider language={language}>
        <CrashBoundary>
          <Suspense fallback={loading}>{door}</Suspense>
        </CrashBoundary>
      </LanguageProvider>
    );
  }
  if (session.data !== undefined) {
    return (
      <LanguageProvider language={nearestLanguage([session.data.operator.locale])}>
        <SessionProvider session={session.data}>
          <Shell key={session.data.operator.id} isLive={!hasEnded} />
          {hasEnded && <SessionEndedDialog onSignedIn={signedIn} />}
        </SessionProvider>
      </LanguageProvider>
    );
  }
  return (
    <LanguageProvider language={language}>
      {session.error === null ? (
        loading
      ) : isProblem(session.error, 'session_required') ? (
        <SignInScreen onLanguage={speak} onSignedIn={signedIn} />
      ) : (
        <main className={styles.alone}>
          <FaultNotice error={session.error} onRetry={() => void session.refetch()} />
        </main>
      )}
    </LanguageProvider>
  );
}

/** What was read is for whoever it was read for: nothing of it is shown to somebody else who signs in here, or in another tab of the same browser. */
function useForgetsForOthers(operatorId: string | undefined): void {
  const client = useQueryClient();
  const before = useRef<string>(undefined);
  useEffect(() => {
    if (operatorId === undefined) return;
    if (before.current !== undefined && before.current !== operatorId) {
      const [ofSession] = keys.session;
      // Reset rather than removed: what the new operator sees by now is read again.
      void client.resetQueries({ predicate: ({ queryKey }) => queryKey[0] !== ofSession });
    }
    before.current = operatorId;
  }, [client, operatorId]);
}

const languageKey = 'language';

/** Before anybody is signed in: what was spoken here last, else what the browser asks for. */
function rememberedLanguage(): Language {
  try {
    const remembered = localStorage.getItem(languageKey);
    return nearestLanguage([...(remembered === null ? [] : [remembered]), ...navigator.languages]);
  } catch {
    return nearestLanguage(navigator.languages);
  }
}

function rememberLanguage(language: Language): void {
  try {
    localStorage.setItem(languageKey, language);
  } catch {
    // A browser that keeps nothing is asked again next time.
  }
}
