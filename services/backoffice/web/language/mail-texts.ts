import type { MailKind, MailState } from '../api/contract.ts';
import { defineTexts } from './texts.ts';

type MailTexts = {
  readonly kind: Readonly<Record<MailKind, string>>;
  /** Short enough for a status. */
  readonly state: Readonly<Record<MailState, string>>;
  /** What that means, and what happens next. */
  readonly means: Readonly<Record<MailState, string>>;
  readonly open: string;
  /** The same for those who hear it out of its place. */
  readonly openOf: (name: string) => string;
};

export const mailTexts = defineTexts<MailTexts>({
  en: {
    kind: {
      reminder: 'Reminder',
      usage_warning: 'Warning of high usage',
      lapsed: 'Notice of stopped signing',
      ca_refusal: 'Notice of refusals by the CA',
    },
    state: {
      sending: 'Being sent',
      accepted: 'Sent',
      refused: 'Refused',
      failed: 'Not sent yet',
    },
    means: {
      sending: 'It is being handed to the mail server.',
      accepted: 'The mail server has accepted it.',
      refused: 'The mail server refused it for this address. It is not tried again.',
      failed: 'The mail server could not take it. It is tried again.',
    },
    open: 'Open the mail',
    openOf: (name) => `Open the mail to ${name}`,
  },
  'pt-PT': {
    kind: {
      reminder: 'Lembrete',
      usage_warning: 'Aviso de uso elevado',
      lapsed: 'Aviso de assinatura parada',
      ca_refusal: 'Aviso de recusas da CA',
    },
    state: {
      sending: 'A ser enviado',
      accepted: 'Enviado',
      refused: 'Recusado',
      failed: 'Ainda por enviar',
    },
    means: {
      sending: 'Está a ser entregue ao servidor de correio.',
      accepted: 'O servidor de correio aceitou-o.',
      refused: 'O servidor de correio recusou-o para este endereço. Não volta a ser tentado.',
      failed: 'O servidor de correio não o pôde receber. Volta a ser tentado.',
    },
    open: 'Abrir o e-mail',
    openOf: (name) => `Abrir o e-mail para ${name}`,
  },
});
