import { useQueryClient } from '@tanstack/react-query';
import { CircleUserRound, CloudOff, LogOut, RefreshCw } from 'lucide-react';
import { lazy, Suspense, useEffect, useRef, useState, type ReactNode } from 'react';
import { Link, Redirect, Route, Switch, useLocation } from 'wouter';
import { followChanges, type Liveness } from '../api/live.ts';
import { Skeleton } from '../design/skeleton.tsx';
import icon from '../design/icon.svg';
import { defineTexts, useTexts } from '../language/texts.ts';
import { words } from '../language/words.ts';
import { CertificateScreen } from '../screens/certificate/certificate-screen.tsx';
import { CertificatesScreen } from '../screens/certificates/certificates-screen.tsx';
import { NotFoundScreen } from '../screens/not-found-screen.tsx';
import { Bell } from './bell.tsx';
import { CrashBoundary } from './crash-boundary.tsx';
import { FaultNotice } from './fault.tsx';
import { useKeptFocus } from './kept-focus.ts';
import { LanguageSwitch } from './language-switch.tsx';
import { useSession } from './session.tsx';
import { useSignOut } from './sign-out.ts';
import styles from './shell.module.css';

// What is needed less often comes when it is asked for.
const RenewalsScreen = lazy(() => import('../screens/renewals/renewals-screen.tsx'));
const AccountScreen = lazy(() => import('../screens/account/account-screen.tsx'));
const SessionsScreen = lazy(() => import('../screens/sessions/sessions-screen.tsx'));

const texts = defineTexts({
  en: {
    skip: 'Skip to the content',
    sections: 'Sections',
    renewals: 'Renewals',
    account: 'Account',
    you: 'You',
    sessions: 'Sessions',
    signOut: 'Sign out',
    offline: 'Offline: what you see may be old',
    polling: 'Connecting again; read every 15 seconds until then',
  },
  'pt-PT': {
    skip: 'Saltar para o conteúdo',
    sections: 'Secções',
    renewals: 'Renovações',
    account: 'Conta',
    you: 'Você',
    sessions: 'Sessões',
    signOut: 'Terminar sessão',
    offline: 'Sem rede: o que vê pode ser antigo',
    polling: 'A restabelecer a ligação; até lá, atualiza a cada 15 segundos',
  },
});

/** What stays around every screen: where one may go, what needs attention, who is signed in, and whether what is seen is live. */
export function Shell({ isLive }: { readonly isLive: boolean }) {
  const t = useTexts(texts);
  const w = useTexts(words);
  const client = useQueryClient();
  const { accounts } = useSession();
  const [path] = useLocation();
  const [liveness, setLiveness] = useState<Liveness>();
  useKeptFocus();
  useEffect(() => (isLive ? followChanges(client, setLiveness) : undefined), [client, isLive]);

  return (
    <>
      <a href="#main" className={styles.skip}>
        {t.skip}
      </a>
      <header className={styles.header}>
        <div className={styles.bar}>
          <Link href="/certificates" className={styles.brand}>
            <img src={icon} alt="" width={28} height={28} />
            <span>Certificate Access</span>
          </Link>
          <nav aria-label={t.sections} className={styles.sections}>
            <Section href="/certificates">{w.certificates}</Section>
            <Section href="/renewals">{t.renewals}</Section>
            {accounts.length > 0 && <Section href="/accounts">{t.account}</Section>}
          </nav>
          <div className={styles.tools}>
            <Bell />
            <UserMenu />
          </div>
        </div>
      </header>
      {/* Whoever has to sign in again first is told that, and nothing else. */}
      {isLive && liveness !== undefined && liveness !== 'live' && (
        <p className={styles.liveness} role="status">
          {liveness === 'offline' ? (
            <CloudOff size={16} aria-hidden="true" />
          ) : (
            <RefreshCw size={16} aria-hidden="true" />
          )}
          {t[liveness]}
        </p>
      )}
      <main id="main" tabIndex={-1} className={styles.main}>
        <CrashBoundary key={path}>
          <Suspense fallback={<Skeleton label={w.loading} />}>
            <Switch>
              <Route path="/">
                <Redirect to="/certificates" replace />
              </Route>
              <Route path="/certificates" component={CertificatesScreen} />
              <Route path="/certificates/:id">
                {({ id }) => <CertificateScreen key={id} certificateId={id} />}
              </Route>
              <Route path="/renewals" component={RenewalsScreen} />
              <Route path="/accounts/:id?/:part?">
                {({ id, part }) => <AccountScreen accountId={id} part={part} />}
              </Route>
              <Route path="/sessions" component={SessionsScreen} />
              <Route component={NotFoundScreen} />
            </Switch>
          </Suspense>
        </CrashBoundary>
      </main>
    </>
  );
}

function Section({ href, children }: { readonly href: string; readonly children: ReactNode }) {
  const [path] = useLocation();
  const isHere = path === href || path.startsWith(`${href}/`);
  return (
    <Link href={href} className={styles.section} aria-current={isHere ? 'page' : undefined}>
      {children}
    </Link>
  );
}

function UserMenu() {
  const t = useTexts(texts);
  const signOut = useSignOut();
  const { operator } = useSession();
  const menu = useRef<HTMLDivElement>(null);
  return (
    <>
      <button
        type="button"
        className={styles.tool}
        popoverTarget="user-menu"
        aria-label={`${t.you}: ${operator.name}`}
      >
        <CircleUserRound size={22} aria-hidden="true" />
        <span className={styles.name}>{operator.name}</span>
      </button>
      <div ref={menu} id="user-menu" popover="auto" className={styles.menu}>
        <p className={styles.who}>
          <strong>{operator.name}</strong>
          <span>{operator.email}</span>
        </p>
        <LanguageSwitch />
        <Link href="/sessions" className={styles.item} onClick={() => menu.current?.hidePopover()}>
          {t.sessions}
        </Link>
        <button
          type="button"
          className={styles.item}
          onClick={() => !signOut.isPending && signOut.mutate()}
        >
          <LogOut size={18} aria-hidden="true" />
          {t.signOut}
        </button>
        {signOut.error !== null && <FaultNotice error={signOut.error} />}
      </div>
    </>
  );
}
