import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useEffectEvent, useState } from 'react';
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
import styles from '../entrance/entrance.module.css';
import {
  faultOfNewPassword,
  NewPasswordField,
  newPasswordFaults,
} from '../entrance/new-password-field.tsx';
import { useSecretToken } from '../entrance/secret-token.ts';
import { LinkWithoutToken, WayOn } from '../entrance/way-on.tsx';
import { Doorstep } from '../sign-in/sign-in-screen.tsx';

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
    submit: 'Accept and sign in',
    somebodyElse: (name: string) =>
      `${name} is signed in in this browser. That session ends when you accept.`,
    ended: 'This invitation has ended',
    endedWhy:
      'It was used already, took too long, or was replaced by a newer one. If you have chosen your password before, sign in with it.',
    endedNext: 'If not, ask whoever invited you to invite you again, and use the newest mail.',
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
    submit: 'Aceitar e iniciar sessão',
    somebodyElse: (name: string) =>
      `Neste navegador, a sessão iniciada é de ${name}. Essa sessão termina quando aceitar.`,
    ended: 'Este convite terminou',
    endedWhy:
      'Já foi usado, passou o prazo, ou foi substituído por um mais recente. Se já escolheu a sua palavra-passe, inicie sessão com ela.',
    endedNext: 'Se não, peça a quem o convidou que o convide de novo e use o e-mail mais recente.',
  },
});

/** Where whoever was invited chooses a password and comes in. The token comes in the fragment, which no server sees, and stays in memory. */
export default function InvitationScreen({
  onLanguage,
  onSignedIn,
}: {
  readonly onLanguage: (language: Language) => void;
  readonly onSignedIn: (who: WhoAmI) => void;
}) {
  const t = useTexts(texts);
  const client = useQueryClient();
  const token = useSecretToken();
  const [, navigate] = useLocation();
  useEffect(() => {
    document.title = `${t.title} · Certificate Access`;
  }, [t]);
  return (
    <Doorstep onLanguage={onLanguage}>
      {token === '' ? (
        <LinkWithoutToken />
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
      <WayOn title={t.ended}>
        <p>{t.endedWhy}</p>
        <p>{t.endedNext}</p>
      </WayOn>
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
  const { form, errorOf, tell, tellRefusal, isAtFields, forget } = useFieldFaults(
    ['password'] as const,
    useTexts(newPasswordFaults),
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
    const fault = faultOfNewPassword(password, leastPasswordLength);
    if (!tell(fault === undefined ? {} : { password: fault })) accept.mutate();
  };
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
      <NewPasswordField
        label={t.password}
        least={leastPasswordLength}
        value={password}
        error={errorOf('password')}
        onChange={(value) => {
          setPassword(value);
          forget('password');
        }}
      />
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
