import { useMutation } from '@tanstack/react-query';
import { useEffect, useState, type ReactNode } from 'react';
import { call, isProblem } from '../../api/client.ts';
import type { WhoAmI } from '../../api/contract.ts';
import { FaultNotice } from '../../app/fault.tsx';
import { LanguageButtons } from '../../app/language-switch.tsx';
import { useSession } from '../../app/session.tsx';
import { Button } from '../../design/button.tsx';
import { Dialog } from '../../design/dialog.tsx';
import { TextField } from '../../design/field.tsx';
import icon from '../../design/icon.svg';
import type { Language } from '../../language/languages.ts';
import { defineTexts, useTexts } from '../../language/texts.ts';
import styles from './sign-in.module.css';

const texts = defineTexts({
  en: {
    title: 'Sign in',
    intro: 'Renew and watch over the permission to sign with your certificates.',
    email: 'E-mail address',
    password: 'Password',
    submit: 'Sign in',
    forgot: 'Forgot your password?',
    perhapsOthers:
      'Perhaps somebody else tried with your address. Nothing was changed, and a new password that you choose by mail lets you in meanwhile.',
    help: 'No access yet? Ask an administrator of your account.',
    ended: 'Your session has ended',
    goOn: 'Sign in again and go on where you were. Nothing that you see here is lost.',
  },
  'pt-PT': {
    title: 'Iniciar sessão',
    intro: 'Renove e acompanhe a permissão para assinar com os seus certificados.',
    email: 'Endereço de e-mail',
    password: 'Palavra-passe',
    submit: 'Iniciar sessão',
    forgot: 'Esqueceu-se da palavra-passe?',
    perhapsOthers:
      'Talvez outra pessoa tenha tentado com o seu endereço. Nada foi alterado, e uma nova palavra-passe escolhida por e-mail permite-lhe entrar entretanto.',
    help: 'Ainda não tem acesso? Peça a um administrador da sua conta.',
    ended: 'A sua sessão terminou',
    goOn: 'Inicie sessão de novo e continue onde estava. Nada do que vê aqui se perdeu.',
  },
});

export function SignInScreen({
  onLanguage,
  onSignedIn,
}: {
  readonly onLanguage: (language: Language) => void;
  readonly onSignedIn: (who: WhoAmI) => void;
}) {
  const t = useTexts(texts);
  useEffect(() => {
    document.title = `${t.title} · Certificate Access`;
  }, [t]);
  return (
    <Doorstep onLanguage={onLanguage}>
      <h1>{t.title}</h1>
      <p>{t.intro}</p>
      <SignInForm onSignedIn={onSignedIn} />
      <p>
        <a href="/forgot-password">{t.forgot}</a>
      </p>
      <p className={styles.help}>{t.help}</p>
    </Doorstep>
  );
}

/** What is seen by whoever is not signed in: one card, and the choice of language. */
export function Doorstep({
  onLanguage,
  children,
}: {
  readonly onLanguage: (language: Language) => void;
  readonly children: ReactNode;
}) {
  return (
    <main className={styles.doorstep}>
      <div className={styles.brand}>
        <img src={icon} alt="" width={36} height={36} />
        Certificate Access
      </div>
      <div className={styles.card}>{children}</div>
      <div className={styles.languages}>
        <LanguageButtons onChoose={onLanguage} />
      </div>
    </main>
  );
}

/** Over whatever was on the screen, which stays as it is. */
export function SessionEndedDialog({ onSignedIn }: { readonly onSignedIn: (who: WhoAmI) => void }) {
  const t = useTexts(texts);
  const { operator } = useSession();
  return (
    <Dialog title={t.ended} onClose={() => undefined}>
      <p>{t.goOn}</p>
      <SignInForm email={operator.email} onSignedIn={onSignedIn} />
      {/* Beside this page, which keeps what was typed here. */}
      <p>
        <a href="/forgot-password" target="_blank" rel="noreferrer">
          {t.forgot}
        </a>
      </p>
    </Dialog>
  );
}

function SignInForm({
  email: known = '',
  onSignedIn,
}: {
  readonly email?: string;
  readonly onSignedIn: (who: WhoAmI) => void;
}) {
  const t = useTexts(texts);
  const [email, setEmail] = useState(known);
  const [password, setPassword] = useState('');
  const signIn = useMutation({
    mutationFn: () => call<WhoAmI>('POST', '/api/session', { body: { email, password } }),
    onSuccess: onSignedIn,
    // The address stays; a password that was wrong is typed anew.
    onError: () => {
      setPassword('');
    },
    gcTime: 0,
  });
  return (
    <form
      className={styles.form}
      onSubmit={(event) => {
        event.preventDefault();
        if (!signIn.isPending) signIn.mutate();
      }}
    >
      {signIn.error !== null && <FaultNotice error={signIn.error} />}
      {isProblem(signIn.error, 'too_many_requests') && <p>{t.perhapsOthers}</p>}
      <TextField
        label={t.email}
        type="email"
        name="email"
        autoComplete="username"
        required
        autoFocus={known === ''}
        value={email}
        onChange={({ target }) => {
          setEmail(target.value);
        }}
      />
      <TextField
        label={t.password}
        type="password"
        name="password"
        autoComplete="current-password"
        required
        autoFocus={known !== ''}
        value={password}
        onChange={({ target }) => {
          setPassword(target.value);
        }}
      />
      <Button type="submit" look="primary" busy={signIn.isPending}>
        {t.submit}
      </Button>
    </form>
  );
}
