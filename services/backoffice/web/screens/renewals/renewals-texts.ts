import type { EndedRenewalState } from '../../../../../domain/renewal.ts';
import { defineTexts } from '../../language/texts.ts';

type RenewalsTexts = {
  readonly title: string;
  readonly open: string;
  readonly noneOpen: string;
  readonly noneOpenWhy: string;
  readonly toCertificates: string;
  readonly byYou: string;
  readonly by: (name: string) => string;
  readonly openUntil: string;
  readonly over: string;
  readonly takeOver: string;
  readonly goOn: string;
  readonly look: string;
  readonly ended: string;
  readonly outcome: string;
  readonly noneEnded: Readonly<Record<EndedRenewalState, string>>;
  readonly endedAt: string;
  readonly grant: (until: string, allowance: string) => string;
  readonly shown: (count: string, areMore: boolean) => string;
};

export const renewalsTexts = defineTexts<RenewalsTexts>({
  en: {
    title: 'Renewals',
    open: 'In progress',
    noneOpen: 'Nobody is renewing now.',
    noneOpenWhy: 'A renewal is started with Renew on the page of its certificate.',
    toCertificates: 'Go to the certificates',
    byYou: 'Started by you',
    by: (name) => `Started by ${name}`,
    openUntil: 'Open until',
    over: 'The time for it is over; it is being closed.',
    takeOver: 'You can take it over on the certificate’s page.',
    goOn: 'Go on',
    look: 'Look at the certificate',
    ended: 'Ended',
    outcome: 'Outcome',
    noneEnded: {
      granted: 'No renewal has been completed yet.',
      refused: 'No renewal was refused.',
      abandoned: 'No renewal was abandoned.',
      timed_out: 'Every renewal was finished in time.',
      outcome_unknown: 'The outcome of every renewal is known.',
    },
    endedAt: 'Ended',
    grant: (until, allowance) => `Until ${until}, for up to ${allowance} signatures`,
    shown: (count, areMore) =>
      areMore
        ? `The newest ${count} are shown.`
        : count === '1'
          ? 'It is the only one.'
          : `All ${count} are shown.`,
  },
  'pt-PT': {
    title: 'Renovações',
    open: 'Em curso',
    noneOpen: 'Ninguém está a renovar agora.',
    noneOpenWhy: 'Uma renovação começa com Renovar na página do certificado.',
    toCertificates: 'Ir para os certificados',
    byYou: 'Iniciada por si',
    by: (name) => `Iniciada por ${name}`,
    openUntil: 'Aberta até',
    over: 'O tempo para a concluir acabou; está a ser encerrada.',
    takeOver: 'Pode assumi-la na página do certificado.',
    goOn: 'Continuar',
    look: 'Ver o certificado',
    ended: 'Terminadas',
    outcome: 'Resultado',
    noneEnded: {
      granted: 'Ainda nenhuma renovação foi concluída.',
      refused: 'Nenhuma renovação foi recusada.',
      abandoned: 'Nenhuma renovação foi abandonada.',
      timed_out: 'Todas as renovações foram concluídas a tempo.',
      outcome_unknown: 'O resultado de todas as renovações é conhecido.',
    },
    endedAt: 'Terminada',
    grant: (until, allowance) => `Até ${until}, para um máximo de ${allowance} assinaturas`,
    shown: (count, areMore) =>
      areMore
        ? `São mostradas as ${count} mais recentes.`
        : count === '1'
          ? 'É a única.'
          : `São mostradas todas as ${count}.`,
  },
});
