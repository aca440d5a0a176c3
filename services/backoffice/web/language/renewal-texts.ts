import {
  renewalNotices,
  renewalOutcomes,
  type RenewalNotice,
  type RenewalOutcome,
  type RenewalState,
} from '../../../../domain/renewal.ts';
import { defineTexts } from './texts.ts';

type Told = readonly [sentence: string, whatToDo: string];

type RenewalTexts = {
  /** Short enough for a status. */
  readonly state: Readonly<Record<RenewalState, string>>;
  readonly outcome: Readonly<Record<RenewalOutcome, Told>>;
  readonly notice: Readonly<Record<RenewalNotice, string>>;
};

/** What a renewal is doing, how it ended and what to do then. English is the API's own. */
export const renewalTexts = defineTexts<RenewalTexts>({
  en: {
    state: {
      at_ca: 'At the CA',
      awaiting_code: 'Waiting for the code',
      authorizing: 'The CA is being asked',
      granted: 'Renewed',
      refused: 'Refused',
      abandoned: 'Abandoned',
      timed_out: 'Not finished in time',
      outcome_unknown: 'Outcome unknown',
    },
    outcome: renewalOutcomes,
    notice: renewalNotices,
  },
  'pt-PT': {
    state: {
      at_ca: 'Na CA',
      awaiting_code: 'À espera do código',
      authorizing: 'A consultar a CA',
      granted: 'Concluída',
      refused: 'Recusada',
      abandoned: 'Abandonada',
      timed_out: 'Não concluída a tempo',
      outcome_unknown: 'Resultado desconhecido',
    },
    outcome: {
      granted: [
        'O acesso foi renovado.',
        'Ative os serviços de cliente que tenham sido suspensos.',
      ],
      consent_denied: [
        'A permissão não foi dada nas páginas da CA. O acesso está como estava.',
        'Comece de novo quando a quiser dar.',
      ],
      wrong_ca_account: [
        'A conta de cliente usada na CA não tem este certificado. O acesso está como estava.',
        'Comece de novo e inicie sessão na CA com a conta deste certificado.',
      ],
      certificate_unusable: [
        'A CA indica que este certificado não pode ser usado. O acesso está como estava.',
        'Pergunte à CA o que se passa com o certificado.',
      ],
      ca_unreachable: [
        'Depois do seu regresso, não foi possível contactar a CA. O acesso está como estava.',
        'Comece de novo dentro de alguns minutos.',
      ],
      ca_refused: [
        'A CA recusou a renovação. O acesso está como estava.',
        'Comece de novo; se for outra vez recusada, pergunte à CA.',
      ],
      ca_misconfigured: [
        'A CA não aceita esta plataforma como cliente. O acesso está como estava.',
        'Avise os engenheiros da plataforma.',
      ],
      ca_session_ended: [
        'A sessão na CA terminou antes de a renovação estar concluída. O acesso está como estava.',
        'Comece de novo.',
      ],
      factor_locked: [
        'A CA bloqueou o PIN ou o código deste certificado. O acesso está como estava.',
        'Desbloqueie-o junto da CA e depois comece de novo.',
      ],
      tries_used_up: [
        'O PIN ou o código foi recusado demasiadas vezes. O acesso está como estava.',
        'Verifique o PIN e depois comece de novo.',
      ],
      operator_not_allowed: [
        'O operador que iniciou esta renovação já não pode renovar. O acesso está como estava.',
        'Um operador da conta tem de começar de novo.',
      ],
      abandoned: [
        'A renovação foi abandonada. O acesso está como estava.',
        'Comece de novo quando quiser.',
      ],
      replaced: [
        'O mesmo operador iniciou uma renovação mais recente. O acesso está como estava.',
        'Continue com a mais recente.',
      ],
      taken_over: [
        'Um colega assumiu a renovação. O acesso está como estava.',
        'Veja a renovação do seu colega.',
      ],
      deadline_passed: [
        'A renovação não foi concluída a tempo. O acesso está como estava.',
        'Comece de novo.',
      ],
      certificate_ended: [
        'O próprio certificado terminou antes de a renovação estar concluída.',
        'Substitua o certificado por um novo.',
      ],
      answer_lost: [
        'A CA foi consultada, mas a resposta não chegou, por isso não se sabe se aceitou. O acesso aqui registado está como estava.',
        'Comece de novo.',
      ],
    },
    notice: {
      callback_from_another_browser:
        'A CA devolveu outro navegador que não aquele onde esta renovação começou; nada foi feito com isso. Continue no navegador onde carregou em Renovar.',
      code_not_sent: 'A CA não enviou o código. Peça um novo.',
    },
  },
});
