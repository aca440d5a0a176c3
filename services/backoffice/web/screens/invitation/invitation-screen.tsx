import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Eye, EyeOff } from 'lucide-react';
import { useEffect, useEffectEvent, useRef, useState, type ReactNode } from 'react';
import { useLocation } from 'wouter';
import { call, isProblem } from '../../api/client.ts';
import type { InvitationView, WhoAmI } from '../../api/contract.ts';
import { sessionQuery } from '../../api/queries.ts';
import { FaultNotice } from '../../app/fault.tsx';
import { useFieldFaults } from '../../app/field-faults.ts';
import { Instant } from '../../app/instant.tsx';
import { Loaded } from '../../app/loaded.tsx';
import { Button } from '../../design/button.tsx';
import { Facts } from '../../design/facts.tsx';
import { TextField } from '../../design/field.tsx';
import { Notice } from '../../design/notice.tsx';
import { nearestLanguage, type Language } from '../../language/languages.ts';
import { defineTexts, useTexts } from '../../language/texts.ts';
import { Doorstep } from '../sign-in/sign-in-screen.tsx';
import styles from './invitation.module.css';

const texts = defineTexts({
  en: {
    title: 'Your invitation',
    invites: (who: string) => `${who} invites you to be an operator of this account.`,
    account: 'Account',
    name: 'Name',
    validUntil: 'Valid until',
    email: 'E-mail address',
    emailHint: 'You sign in with it.',
    password: 'Choose a password',
    rule: (least: number) =>
      `At least ${least} characters. Several words are good and easy to remember.`,
    show: 'Show password',
    hide: 'Hide password',
    submit: 'Accept and sign in',
    somebodyElse: (name: string) =>
      `${name} is signed in in this browser. That session ends when you accept.`,
    ended: 'This invitation has ended',
    endedWhy:
      'It was used already, took too long, or was replaced by a newer one. If you have chosen your password before, sign in with it.',
    endedNext: 'If not, ask whoever invited you to invite you again, and use the newest mail.',
    noLink: 'The link is not complete',
    noLinkWhy:
      'For safety, the link’s secret part is not kept in the address, so the page cannot be loaded again. Open the link in the mail once more.',
    signIn: 'Go to sign in',
    faults: {
      missing: 'Choose a password.',
      tooShort: 'The password is too short.',
      tooLong: 'The password is too long: at most 200 characters.',
      refused: 'The server does not accept this password.',
    },
  },
  'pt-PT': {
    title: 'O seu convite',
    invites: (who: string) => `Tem um convite de ${who} para fazer parte desta conta.`,
    account: 'Conta',
    name: 'Nome',
    validUntil: 'Válido até',
    email: 'Endereço de e-mail',
    emailHint: 'É com ele que inicia sessão.',
    password: 'Escolha uma palavra-passe',
    rule: (least: number) =>
      `Pelo menos ${least} caracteres. Várias palavras são seguras e fáceis de lembrar.`,
    show: 'Mostrar palavra-passe',
    hide: 'Ocultar palavra-passe',
    submit: 'Aceitar e iniciar sessão',
    somebodyElse: (name: string) =>
      `Neste navegador, a sessão iniciada é de ${name}. Essa sessão termina quando aceitar.`,
    ended: 'Este convite terminou',
    endedWhy:
      'Já foi usado, passou o prazo, ou foi substituído por um mais recente. Se já escolheu a sua palavra-passe, inicie sessão com ela.',
    endedNext: 'Se não, peça a quem o convidou que o convide de novo e use o e-mail mais recente.',
    noLink: 'A ligação não está completa',
    noLinkWhy:
      'Por segurança, a parte secreta da ligação não fica no endereço, pelo que a página não pode ser recarregada. Abra de novo a ligação que está no e-mail.',
    signIn: 'Ir para o início de sessão',
    faults: {
      missing: 'Escolha uma palavra-passe.',
      tooShort: 'A palavra-passe é demasiado curta.',
      tooLong: 'A palavra-passe é demasiado longa: no máximo 200 caracteres.',
      refused: 'O servidor não aceita esta palavra-passe.',
    },
  },
});

/** As the server has it (services/shared/administration.ts); the least length comes with the invitation. */
const mostPasswordLength = 200;

/** Whether the page was opened by the link of an invitation. */
export const isInvitation = (): boolean => window.location.pathname === '/invitation';

/** Where whoever was invited chooses a password and comes in. The token comes in the fragment, which no server sees, and stays in memory. */
export function InvitationScreen({
  onLanguage,
  onSignedIn,
}: {
  readonly onLanguage: (language: Language) => void;
  readonly onSignedIn: (who: WhoAmI) => void;
}) {
  const t = useTexts(texts);
  const client = useQueryClient();
  const token = useToken();
  const [, navigate] = useLocation();
  useEffect(() => {
    document.title = `${t.title} · Certificate Access`;
  }, [t]);
  return (
    <Doorstep onLanguage={onLanguage}>
      {token === '' ? (
        <DeadEnd title={t.noLink}>
          <p>{t.noLinkWhy}</p>
        </DeadEnd>
      ) : (
        <Invitation
          key={token}
          token={token}
          onLanguage={onLanguage}
          onAccepted={(who) => {
            // Used up: whatever is read again from now on, this is not.
            client.removeQueries({ queryKey: ['invitation'] });
            // The address first: what is shown next is told by it.
            navigate('/certificates', { replace: true });
            onSignedIn(who);
          }}
        />
      )}
    </Doorstep>
  );
}

const fragment = (): string => window.location.hash.slice(1);

/** The fragment of the address that this page was opened by, or a newer one in the same tab; taken out of the address, and so out of the history, at once. */
function useToken(): string {
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

function Invitation({
  token,
  onLanguage,
  onAccepted,
}: {
  readonly token: string;
  readonly onLanguage: (language: Language) => void;
  readonly onAccepted: (who: WhoAmI) => void;
}) {
  const t = useTexts(texts);
  const [isOver, setOver] = useState(false);
  const query = useQuery({
    queryKey: ['invitation', token],
    queryFn: ({ signal }) =>
      call<InvitationView>('POST', '/api/invitations/lookup', { body: { token }, signal }),
    // Nothing of it stays once it is not shown any more.
    gcTime: 0,
  });
  const locale = query.data?.locale;
  // The language of the mail that led here; one may switch after that.
  const speak = useEffectEvent(onLanguage);
  useEffect(() => {
    if (locale !== undefined) speak(nearestLanguage([locale]));
  }, [locale]);

  if (isOver || isProblem(query.error, 'invitation_ended')) {
    return (
      <DeadEnd title={t.ended}>
        <p>{t.endedWhy}</p>
        <p>{t.endedNext}</p>
      </DeadEnd>
    );
  }
  return (
    <>
      <h1>{t.title}</h1>
      <Loaded query={query}>
        {(invitation) => (
          <>
            <p>{t.invites(invitation.invitedBy)}</p>
            <Facts
              items={[
                [t.account, invitation.accountName],
                [t.name, invitation.name],
                [
                  t.validUntil,
                  <Instant
                    key="until"
                    at={invitation.expiresAt}
                    timeZone={new Intl.DateTimeFormat().resolvedOptions().timeZone}
                  />,
                ],
              ]}
            />
            <Acceptance
              token={token}
              invitation={invitation}
              onAccepted={onAccepted}
              onEnded={() => setOver(true)}
            />
          </>
        )}
      </Loaded>
    </>
  );
}

function Acceptance({
  token,
  invitation: { email, leastPasswordLength },
  onAccepted,
  onEnded,
}: {
  readonly token: string;
  readonly invitation: InvitationView;
  readonly onAccepted: (who: WhoAmI) => void;
  readonly onEnded: () => void;
}) {
  const t = useTexts(texts);
  const present = useQuery(sessionQuery).data?.operator;
  const [password, setPassword] = useState('');
  const [isShown, setShown] = useState(false);
  const { form, errorOf, tell, tellRefusal, isAtFields, forget } = useFieldFaults(
    ['password'] as const,
    t.faults,
  );
  const accept = useMutation({
    mutationFn: () =>
      call<WhoAmI>('POST', '/api/invitations/acceptance', { body: { token, password } }),
    onSuccess: onAccepted,
    onError(error) {
      if (isProblem(error, 'invitation_ended')) onEnded();
      else tellRefusal(error, 'refused');
    },
    gcTime: 0,
  });
  const submit = (): void => {
    if (accept.isPending) return;
    const fault = faultOf(password, leastPasswordLength);
    if (!tell(fault === undefined ? {} : { password: fault })) accept.mutate();
  };
  const ToggleIcon = isShown ? EyeOff : Eye;
  return (
    <form
      ref={form}
      noValidate
      className={styles.form}
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <TextField
        label={t.email}
        hint={t.emailHint}
        type="email"
        name="email"
        autoComplete="username"
        readOnly
        value={email}
        className={styles.given}
      />
      <div className={styles.password}>
        <TextField
          label={t.password}
          hint={t.rule(leastPasswordLength)}
          type={isShown ? 'text' : 'password'}
          name="password"
          autoComplete="new-password"
          autoCapitalize="none"
          spellCheck={false}
          required
          value={password}
          error={errorOf('password')}
          onChange={({ target }) => {
            setPassword(target.value);
            forget('password');
          }}
        />
        <Button
          look="quiet"
          icon={<ToggleIcon size={18} aria-hidden="true" />}
          onClick={() => setShown((before) => !before)}
        >
          {isShown ? t.hide : t.show}
        </Button>
      </div>
      {present !== undefined && present.email !== email && (
        <Notice tone="info">
          <p>{t.somebodyElse(present.name)}</p>
        </Notice>
      )}
      {accept.error !== null && !isAtFields(accept.error) && <FaultNotice error={accept.error} />}
      <Button type="submit" look="primary" busy={accept.isPending}>
        {t.submit}
      </Button>
    </form>
  );
}

function faultOf(password: string, least: number): 'missing' | 'tooShort' | 'tooLong' | undefined {
  if (password === '') return 'missing';
  if (password.length < least) return 'tooShort';
  return password.length > mostPasswordLength ? 'tooLong' : undefined;
}

/** Where there is nothing to accept: why, and the way on. */
function DeadEnd({ title, children }: { readonly title: string; readonly children: ReactNode }) {
  const t = useTexts(texts);
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  return (
    <>
      <h1 ref={heading} tabIndex={-1}>
        {title}
      </h1>
      {children}
      {/* A plain link: what is shown at an address is chosen when the page is loaded. */}
      <p>
        <a href="/certificates">{t.signIn}</a>
      </p>
    </>
  );
}
