import { useMutation } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { call } from '../../api/client.ts';
import { FaultNotice } from '../../app/fault.tsx';
import { Button } from '../../design/button.tsx';
import { TextField } from '../../design/field.tsx';
import { useFormats } from '../../language/language.tsx';
import type { Language } from '../../language/languages.ts';
import { defineTexts, useTexts } from '../../language/texts.ts';
import styles from '../entrance/entrance.module.css';
import { WayOn } from '../entrance/way-on.tsx';
import { Doorstep } from '../sign-in/sign-in-screen.tsx';

const texts = defineTexts({
  en: {
    title: 'Choose a new password',
    intro:
      'Enter the e-mail address that you sign in with. If it is one, you get a mail with a link to choose a new password. Until you choose one, your password stays as it is.',
    email: 'E-mail address',
    submit: 'Send the link',
    back: 'Back to sign in',
    sent: 'A mail is on its way',
    sentTo: (email: string) =>
      `If ${email} is used to sign in here, a link was sent to it a moment ago.`,
    goodFor: (span: string) => `It is good for ${span}, and once. Look among unwanted mail too.`,
    nothingCame:
      'Nothing came? Check the address for slips and ask again; after a few mails there is a pause of half an hour, in which the newest link is still good. If you have no access yet, ask an administrator of your account.',
  },
  'pt-PT': {
    title: 'Escolher uma nova palavra-passe',
    intro:
      'Introduza o endereço de e-mail com que inicia sessão. Se for um deles, recebe uma mensagem com uma ligação para escolher uma nova palavra-passe. Até a escolher, a sua palavra-passe fica como está.',
    email: 'Endereço de e-mail',
    submit: 'Enviar a ligação',
    back: 'Voltar ao início de sessão',
    sent: 'Uma mensagem vai a caminho',
    sentTo: (email: string) =>
      `Se ${email} serve para iniciar sessão aqui, foi-lhe enviada uma ligação há momentos.`,
    goodFor: (span: string) =>
      `É válida durante ${span}, e uma só vez. Procure também no correio não solicitado.`,
    nothingCame:
      'Não chegou nada? Verifique se o endereço está certo e peça de novo; após algumas mensagens há uma pausa de meia hora, durante a qual a ligação mais recente continua válida. Se ainda não tem acesso, peça a um administrador da sua conta.',
  },
});

/** Where whoever has lost the password asks for a mail. It never tells whether an address is known. */
export default function ForgotPasswordScreen({
  onLanguage,
}: {
  readonly onLanguage: (language: Language) => void;
}) {
  const t = useTexts(texts);
  const formats = useFormats();
  const [email, setEmail] = useState('');
  const ask = useMutation({
    mutationFn: () =>
      call<{ readonly linkSeconds: number }>('POST', '/api/password-resets', { body: { email } }),
    gcTime: 0,
  });
  const title = ask.isSuccess ? t.sent : t.title;
  useEffect(() => {
    document.title = `${title} · Certificate Access`;
  }, [title]);
  return (
    <Doorstep onLanguage={onLanguage}>
      {ask.isSuccess ? (
        <WayOn title={title}>
          <p>{t.sentTo(email)}</p>
          <p>{t.goodFor(formats.span(ask.data.linkSeconds * 1000))}</p>
          <p className={styles.help}>{t.nothingCame}</p>
        </WayOn>
      ) : (
        <>
          <h1>{title}</h1>
          <p>{t.intro}</p>
          <form
            className={styles.form}
            onSubmit={(event) => {
              event.preventDefault();
              if (!ask.isPending) ask.mutate();
            }}
          >
            {ask.error !== null && <FaultNotice error={ask.error} />}
            <TextField
              label={t.email}
              type="email"
              name="email"
              autoComplete="username"
              required
              autoFocus
              value={email}
              onChange={({ target }) => {
                setEmail(target.value);
              }}
            />
            <Button type="submit" look="primary" busy={ask.isPending}>
              {t.submit}
            </Button>
          </form>
          <p>
            <a href="/certificates">{t.back}</a>
          </p>
        </>
      )}
    </Doorstep>
  );
}
