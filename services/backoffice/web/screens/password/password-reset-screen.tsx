import { useMutation, useQuery } from '@tanstack/react-query';
import { useEffect, useEffectEvent, useState } from 'react';
import { call, isProblem } from '../../api/client.ts';
import type { PasswordResetView } from '../../api/contract.ts';
import { FaultNotice } from '../../app/fault.tsx';
import { useFieldFaults } from '../../app/field-faults.ts';
import { Instant } from '../../app/instant.tsx';
import { Loaded } from '../../app/loaded.tsx';
import { Button } from '../../design/button.tsx';
import { TextField } from '../../design/field.tsx';
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
    title: 'Choose a new password',
    validUntil: 'The link is good until',
    email: 'E-mail address',
    emailHint: 'You sign in with it.',
    password: 'New password',
    ends: 'All your sessions end with that, wherever you are signed in.',
    submit: 'Change the password',
    changed: 'Your password was changed',
    changedNext: 'All your sessions have ended. Sign in with the new password.',
    ended: 'This link has ended',
    endedWhy:
      'It was used already, took too long, or the password was changed meanwhile. The password is as it was before you opened the link.',
    again: 'Ask for a new link',
  },
  'pt-PT': {
    title: 'Escolher uma nova palavra-passe',
    validUntil: 'A ligação é válida até',
    email: 'Endereço de e-mail',
    emailHint: 'É com ele que inicia sessão.',
    password: 'Nova palavra-passe',
    ends: 'Com isso terminam todas as suas sessões, onde quer que as tenha.',
    submit: 'Alterar a palavra-passe',
    changed: 'A sua palavra-passe foi alterada',
    changedNext: 'Todas as suas sessões terminaram. Inicie sessão com a nova palavra-passe.',
    ended: 'Esta ligação terminou',
    endedWhy:
      'Já foi usada, passou o prazo, ou a palavra-passe foi entretanto alterada. A palavra-passe está como estava antes de abrir a ligação.',
    again: 'Pedir uma nova ligação',
  },
});

/** Where the link of a mail leads, to choose a new password. The token comes in the fragment, which no server sees, and stays in memory. */
export default function PasswordResetScreen({
  onLanguage,
}: {
  readonly onLanguage: (language: Language) => void;
}) {
  const t = useTexts(texts);
  const token = useSecretToken();
  useEffect(() => {
    document.title = `${t.title} · Certificate Access`;
  }, [t]);
  return (
    <Doorstep onLanguage={onLanguage}>
      {token === '' ? (
        <LinkWithoutToken />
      ) : (
        <Reset key={token} token={token} onLanguage={onLanguage} />
      )}
    </Doorstep>
  );
}

function Reset({
  token,
  onLanguage,
}: {
  readonly token: string;
  readonly onLanguage: (language: Language) => void;
}) {
  const t = useTexts(texts);
  const [outcome, setOutcome] = useState<'changed' | 'ended'>();
  const query = useQuery({
    queryKey: ['password-reset', token],
    queryFn: ({ signal }) =>
      call<PasswordResetView>('POST', '/api/password-resets/lookup', { body: { token }, signal }),
    // Used up: it is not asked for again.
    enabled: outcome === undefined,
    // Nothing of it stays once it is not shown any more.
    gcTime: 0,
  });
  const locale = query.data?.locale;
  // The language of the mail that led here; one may switch after that.
  const speak = useEffectEvent(onLanguage);
  useEffect(() => {
    if (locale !== undefined) speak(nearestLanguage([locale]));
  }, [locale]);

  if (outcome === 'changed') {
    return (
      <WayOn title={t.changed}>
        <p>{t.changedNext}</p>
      </WayOn>
    );
  }
  if (outcome === 'ended' || isProblem(query.error, 'password_reset_ended')) {
    return (
      <WayOn title={t.ended}>
        <p>{t.endedWhy}</p>
        <p>
          <a href="/forgot-password">{t.again}</a>
        </p>
      </WayOn>
    );
  }
  return (
    <>
      <h1>{t.title}</h1>
      <Loaded query={query}>
        {(reset) => (
          <>
            <p>
              {t.validUntil}{' '}
              <Instant
                at={reset.expiresAt}
                timeZone={new Intl.DateTimeFormat().resolvedOptions().timeZone}
              />
            </p>
            <Choice token={token} reset={reset} onOutcome={setOutcome} />
          </>
        )}
      </Loaded>
    </>
  );
}

function Choice({
  token,
  reset: { email, leastPasswordLength },
  onOutcome,
}: {
  readonly token: string;
  readonly reset: PasswordResetView;
  readonly onOutcome: (outcome: 'changed' | 'ended') => void;
}) {
  const t = useTexts(texts);
  const [password, setPassword] = useState('');
  const { form, errorOf, tell, tellRefusal, isAtFields, forget } = useFieldFaults(
    ['password'] as const,
    useTexts(newPasswordFaults),
  );
  const accept = useMutation({
    mutationFn: () =>
      call('POST', '/api/password-resets/acceptance', { body: { token, password } }),
    onSuccess: () => onOutcome('changed'),
    onError(error) {
      if (isProblem(error, 'password_reset_ended')) onOutcome('ended');
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
      <p className={styles.help}>{t.ends}</p>
      {accept.error !== null && !isAtFields(accept.error) && <FaultNotice error={accept.error} />}
      <Button type="submit" look="primary" busy={accept.isPending}>
        {t.submit}
      </Button>
    </form>
  );
}
