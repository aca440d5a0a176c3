import type { AccessRefusal } from '../../../../../domain/client-service.ts';
import type { LapseReason } from '../../../../../domain/grant.ts';
import type { TimelineAction, TimelineType } from '../../api/contract.ts';
import { defineTexts } from '../../language/texts.ts';

/** An entry as sentences need it: values in words of the language already, `''` or 0 for what it does not tell. */
export type ToldEntry = {
  /** Who did it, as a sentence begins. */
  readonly who: string;
  /** Whom it is about. */
  readonly whom: string;
  readonly text: (key: string) => string;
  readonly count: (key: string) => number;
  /** A count, grouped. */
  readonly number: (key: string) => string;
  readonly at: (key: string) => string;
  /** The same without the day, where it is the entry's own. */
  readonly soon: (key: string) => string;
  readonly names: (key: string) => readonly string[];
  /** The same as one text: `a, b and c`. */
  readonly list: (key: string) => string;
  readonly mailKind: string;
  /** What came of a renewal. */
  readonly outcome: string;
  /** Why the access ended, or why signing was refused. */
  readonly reason: string;
  /** What somebody wanted who may not. */
  readonly permission: string;
};

type GrantEnd = 'superseded' | Extract<LapseReason, 'revoked' | 'ended_by_ca'>;

export type TimelineTexts = {
  readonly title: string;
  readonly times: (zone: string) => string;
  readonly filter: string;
  readonly everything: string;
  readonly type: Readonly<Record<TimelineType, string>>;
  readonly csv: string;
  readonly json: string;
  readonly fileAs: (format: string, type: string) => string;
  readonly collecting: (count: string) => string;
  readonly older: string;
  readonly shown: (count: string) => string;
  readonly all: (count: string) => string;
  readonly today: (day: string) => string;
  readonly yesterday: (day: string) => string;
  readonly empty: string;
  readonly emptyWhy: string;
  readonly emptyOfType: string;
  readonly showEverything: string;
  readonly details: string;
  readonly detailsOf: (sentence: string) => string;
  readonly platform: string;
  readonly engineers: string;
  readonly apiKey: (name: string) => string;
  readonly formerApiKey: string;
  readonly formerOperator: string;
  readonly toFormerOperator: string;
  readonly refusal: Readonly<Record<Exclude<AccessRefusal, LapseReason>, string>>;
  readonly grantEnd: Readonly<Record<GrantEnd, (at: string) => string>>;
  readonly shorter: { readonly ca: string; readonly certificate: string };
  readonly factor: { readonly pin: string; readonly otp: string };
  /** What somebody wanted who may not: "was not allowed to …". */
  readonly permission: Readonly<Record<'renew' | 'activate' | 'revoke', string>>;
  /** The first line says who did what; those after it why, and what came of it. Empty ones are left out. */
  readonly action: Readonly<Record<TimelineAction, (entry: ToldEntry) => readonly string[]>>;
  readonly unknown: readonly string[];
};

const quoted = (text: string): string => (text === '' ? '' : `“${text}”`);

export const timelineTexts = defineTexts<TimelineTexts>({
  en: {
    title: 'Timeline',
    times: (zone) => `Times in ${zone}`,
    filter: 'Show',
    everything: 'Everything',
    type: {
      grant: 'Access',
      renewal: 'Renewals',
      mail: 'Mails',
      suspension: 'Suspensions',
      activation: 'Activations',
      signing: 'Permissions to sign',
      usage: 'Usage',
      refusal: 'Refusals',
      configuration: 'Configuration',
      other: 'Anything else',
    },
    csv: 'CSV',
    json: 'JSON',
    fileAs: (format, type) => `Save as ${format}: ${type}`,
    collecting: (count) => `${count} read …`,
    older: 'Show older entries',
    shown: (count) => `The newest ${count} entries are shown.`,
    all: (count) => `All ${count} entries are shown.`,
    today: (day) => `Today, ${day}`,
    yesterday: (day) => `Yesterday, ${day}`,
    empty: 'Nothing has happened to this certificate yet.',
    emptyWhy: 'What is done with it from now on is told here. It starts with Renew.',
    emptyOfType: 'Nothing of this kind has happened yet.',
    showEverything: 'Show everything',
    details: 'Details',
    detailsOf: (sentence) => `Details of: ${sentence}`,
    platform: 'The platform',
    engineers: 'The platform team',
    apiKey: (name) => `The signing service with the key “${name}”`,
    formerApiKey: 'A signing service whose key is gone',
    formerOperator: 'A former operator',
    toFormerOperator: 'a former operator',
    refusal: {
      never_granted: 'The access was never granted',
      client_service_suspended: 'The client service is suspended',
      client_service_inactive: 'The client service is inactive',
    },
    grantEnd: {
      superseded: (at) => `A newer access took its place on ${at}.`,
      revoked: (at) => `It was ended by the emergency stop on ${at}.`,
      ended_by_ca: (at) => `It was ended by the certificate authority on ${at}.`,
    },
    shorter: {
      ca: 'The certificate authority authorised less than the usual limits.',
      certificate: 'It ends with the certificate itself.',
    },
    factor: { pin: 'PIN', otp: 'one-time code' },
    permission: {
      renew: 'go on with a renewal',
      activate: 'activate or deactivate client services',
      revoke: 'press the emergency stop',
    },
    action: {
      access_granted: ({ who, at, number, list }) => [
        `${who} renewed the access.`,
        at('expiresAt') && `Until ${at('expiresAt')}, for up to ${number('allowance')} signatures.`,
        list('factors') && `Confirmed with ${list('factors')}.`,
      ],
      grant_obtained_too_late: () => [
        'The CA gave the access after the renewal was over.',
        'It is not used here. The access is as it was before.',
      ],
      access_revoked: ({ who, text }) => [
        `${who} pressed the emergency stop.`,
        quoted(text('reason')),
      ],
      grant_ended_by_ca: () => ['The certificate authority ended the access.'],
      revoked_at_ca: () => ['The platform revoked an ended access at the CA.'],
      renewal_opened: ({ who, soon }) => [
        `${who} started a renewal.`,
        soon('deadlineAt') && `It could be finished until ${soon('deadlineAt')}.`,
      ],
      renewal_ended: ({ outcome }) => ['The renewal ended without a new access.', outcome],
      returned_from_ca: ({ who }) => [`${who} came back from the CA.`],
      callback_from_another_browser: () => [
        'The CA sent another browser back than the one that started the renewal.',
        'Nothing was done with it.',
      ],
      code_window_opened: ({ who, soon }) => [
        `${who} could enter PIN and code.`,
        soon('endsAt') && `Until ${soon('endsAt')}.`,
      ],
      code_window_closed: () => ['The time for PIN and code ran out.'],
      code_requested: ({ who }) => [`${who} asked for a new code.`],
      code_not_sent: () => ['The CA did not send the code.'],
      authorization_asked: ({ who }) => [`${who} asked the CA for the access.`],
      factor_rejected: ({ count }) => [
        'The CA did not accept the PIN or the code.',
        count('triesLeft') === 1 ? '1 try was left.' : `${count('triesLeft')} tries were left.`,
      ],
      authorization_not_processed: () => [
        'The CA did not deal with the request.',
        'Nothing was changed, and the try does not count.',
      ],
      mail_sent: ({ whom, mailKind, text }) => [`${mailKind} to ${whom}`, quoted(text('subject'))],
      operators_told: ({ mailKind, count }) => [
        `${mailKind}: ${
          count('told') === 1 ? '1 operator was told.' : `${count('told')} operators were told.`
        }`,
        count('undeliverable') > 0 ? `${count('undeliverable')} could not be reached.` : '',
      ],
      nobody_to_tell: ({ mailKind }) => [`${mailKind}: there was no operator to tell.`],
      operator_undeliverable: ({ whom, mailKind }) => [
        `The mail server refused the mail to ${whom}.`,
        mailKind,
      ],
      client_services_suspended: ({ names, list, reason }) => [
        names('clientServices').length === 0
          ? 'The access ended. No client service was active.'
          : names('clientServices').length === 1
            ? 'The platform suspended 1 client service.'
            : `The platform suspended ${names('clientServices').length} client services.`,
        [reason, list('clientServices')].filter((part) => part !== '').join(': '),
      ],
      client_service_activated: ({ who, text }) => [
        `${who} activated the client service ${quoted(text('clientService'))}.`,
        text('before') === 'suspended' ? 'It was suspended before.' : '',
      ],
      client_service_deactivated: ({ who, text }) => [
        `${who} deactivated the client service ${quoted(text('clientService'))}.`,
      ],
      activation_handed_out: ({ who }) => [`${who} was given what it needs to sign.`],
      usage_threshold_reached: ({ count, number }) => [
        count('percent') >= 100
          ? 'All signatures of the access were used.'
          : `Usage went above ${count('percent')} % of the signatures.`,
        `${number('used')} of ${number('allowance')}.`,
        count('superseded') > 0 ? 'A newer access had taken its place, so nothing stopped.' : '',
      ],
      usage_suspense_settled: ({ count, number }) => [
        count('signatures') === 1
          ? '1 signature that had not belonged to any access was counted.'
          : `${number('signatures')} signatures that had not belonged to any access were counted.`,
      ],
      activation_refused: ({ who, reason, count, number }) => [
        `${who} was not allowed to sign.`,
        reason && `${reason}.`,
        count('count') > 1 ? `${number('count')} times since this was last told.` : '',
      ],
      permission_refused: ({ who, permission }) => [
        `${who} was not allowed to ${permission}.`,
        'Nothing was changed.',
      ],
      ca_refusal_reported: ({ who, count, number }) => [
        `${who} reported that the CA refuses signatures.`,
        count('count') > 1 ? `${number('count')} times since this was last told.` : '',
        'Nothing was suspended because of it.',
      ],
      certificate_created: ({ who, text }) => [
        `${who} registered the certificate ${quoted(text('alias'))}.`,
      ],
      client_service_created: ({ who, text }) => [
        `${who} registered the client service ${quoted(text('alias'))}.`,
      ],
    },
    unknown: ['Something happened for which this page has no words yet.'],
  },
  'pt-PT': {
    title: 'Cronologia',
    times: (zone) => `Horas de ${zone}`,
    filter: 'Mostrar',
    everything: 'Tudo',
    type: {
      grant: 'Acesso',
      renewal: 'Renovações',
      mail: 'E-mails',
      suspension: 'Suspensões',
      activation: 'Ativações',
      signing: 'Permissões para assinar',
      usage: 'Utilização',
      refusal: 'Recusas',
      configuration: 'Configuração',
      other: 'Tudo o resto',
    },
    csv: 'CSV',
    json: 'JSON',
    fileAs: (format, type) => `Guardar como ${format}: ${type}`,
    collecting: (count) => `${count} lidas …`,
    older: 'Mostrar entradas mais antigas',
    shown: (count) => `São mostradas as ${count} entradas mais recentes.`,
    all: (count) => `São mostradas todas as ${count} entradas.`,
    today: (day) => `Hoje, ${day}`,
    yesterday: (day) => `Ontem, ${day}`,
    empty: 'Ainda nada aconteceu a este certificado.',
    emptyWhy: 'O que se fizer com ele a partir de agora fica aqui registado. Comece por Renovar.',
    emptyOfType: 'Ainda nada deste tipo aconteceu.',
    showEverything: 'Mostrar tudo',
    details: 'Pormenores',
    detailsOf: (sentence) => `Pormenores de: ${sentence}`,
    platform: 'A plataforma',
    engineers: 'A equipa da plataforma',
    apiKey: (name) => `O serviço de assinatura com a chave “${name}”`,
    formerApiKey: 'Um serviço de assinatura cuja chave já não existe',
    formerOperator: 'Um antigo operador',
    toFormerOperator: 'um antigo operador',
    refusal: {
      never_granted: 'O acesso nunca foi concedido',
      client_service_suspended: 'O serviço de cliente está suspenso',
      client_service_inactive: 'O serviço de cliente está inativo',
    },
    grantEnd: {
      superseded: (at) => `Foi substituído por um acesso mais recente em ${at}.`,
      revoked: (at) => `Foi terminado pela paragem de emergência em ${at}.`,
      ended_by_ca: (at) => `Foi terminado pela entidade certificadora em ${at}.`,
    },
    shorter: {
      ca: 'A entidade certificadora autorizou menos do que os limites habituais.',
      certificate: 'Termina com o próprio certificado.',
    },
    factor: { pin: 'PIN', otp: 'código de utilização única' },
    permission: {
      renew: 'avançar com uma renovação',
      activate: 'ativar ou desativar serviços de cliente',
      revoke: 'usar a paragem de emergência',
    },
    action: {
      access_granted: ({ who, at, number, list }) => [
        `${who} renovou o acesso.`,
        at('expiresAt') &&
          `Até ${at('expiresAt')}, para um máximo de ${number('allowance')} assinaturas.`,
        list('factors') && `Confirmado com ${list('factors')}.`,
      ],
      grant_obtained_too_late: () => [
        'A CA deu o acesso depois de a renovação ter terminado.',
        'Não é usado aqui. O acesso está como estava.',
      ],
      access_revoked: ({ who, text }) => [
        `${who} acionou a paragem de emergência.`,
        quoted(text('reason')),
      ],
      grant_ended_by_ca: () => ['A entidade certificadora terminou o acesso.'],
      revoked_at_ca: () => ['A plataforma revogou na CA um acesso que já tinha terminado.'],
      renewal_opened: ({ who, soon }) => [
        `${who} iniciou uma renovação.`,
        soon('deadlineAt') && `Podia ser concluída até ${soon('deadlineAt')}.`,
      ],
      renewal_ended: ({ outcome }) => ['A renovação terminou sem um novo acesso.', outcome],
      returned_from_ca: ({ who }) => [`${who} regressou da CA.`],
      callback_from_another_browser: () => [
        'A CA devolveu outro navegador que não aquele onde a renovação começou.',
        'Nada foi feito com isso.',
      ],
      code_window_opened: ({ who, soon }) => [
        `${who} pôde introduzir o PIN e o código.`,
        soon('endsAt') && `Até ${soon('endsAt')}.`,
      ],
      code_window_closed: () => ['O tempo para o PIN e o código esgotou-se.'],
      code_requested: ({ who }) => [`${who} pediu um novo código.`],
      code_not_sent: () => ['A CA não enviou o código.'],
      authorization_asked: ({ who }) => [`${who} pediu o acesso à CA.`],
      factor_rejected: ({ count }) => [
        'A CA não aceitou o PIN ou o código.',
        count('triesLeft') === 1
          ? 'Restava 1 tentativa.'
          : `Restavam ${count('triesLeft')} tentativas.`,
      ],
      authorization_not_processed: () => [
        'A CA não tratou o pedido.',
        'Nada foi alterado e a tentativa não conta.',
      ],
      mail_sent: ({ whom, mailKind, text }) => [
        `${mailKind} para ${whom}`,
        quoted(text('subject')),
      ],
      operators_told: ({ mailKind, count }) => [
        `${mailKind}: ${
          count('told') === 1 ? '1 operador informado.' : `${count('told')} operadores informados.`
        }`,
        count('undeliverable') > 0 ? `Sem contacto possível: ${count('undeliverable')}.` : '',
      ],
      nobody_to_tell: ({ mailKind }) => [`${mailKind}: não havia nenhum operador a avisar.`],
      operator_undeliverable: ({ whom, mailKind }) => [
        `O servidor de correio recusou o e-mail para ${whom}.`,
        mailKind,
      ],
      client_services_suspended: ({ names, list, reason }) => [
        names('clientServices').length === 0
          ? 'O acesso terminou. Nenhum serviço de cliente estava ativo.'
          : names('clientServices').length === 1
            ? 'A plataforma suspendeu 1 serviço de cliente.'
            : `A plataforma suspendeu ${names('clientServices').length} serviços de cliente.`,
        [reason, list('clientServices')].filter((part) => part !== '').join(': '),
      ],
      client_service_activated: ({ who, text }) => [
        `${who} ativou o serviço de cliente ${quoted(text('clientService'))}.`,
        text('before') === 'suspended' ? 'Estava suspenso.' : '',
      ],
      client_service_deactivated: ({ who, text }) => [
        `${who} desativou o serviço de cliente ${quoted(text('clientService'))}.`,
      ],
      activation_handed_out: ({ who }) => [`${who} recebeu o que precisa para assinar.`],
      usage_threshold_reached: ({ count, number }) => [
        count('percent') >= 100
          ? 'Todas as assinaturas do acesso foram usadas.'
          : `A utilização passou de ${count('percent')} % das assinaturas.`,
        `${number('used')} de ${number('allowance')}.`,
        count('superseded') > 0
          ? 'Já tinha sido substituído por um acesso mais recente, por isso nada parou.'
          : '',
      ],
      usage_suspense_settled: ({ count, number }) => [
        count('signatures') === 1
          ? 'Foi contada 1 assinatura que não pertencia a nenhum acesso.'
          : `Foram contadas ${number('signatures')} assinaturas que não pertenciam a nenhum acesso.`,
      ],
      activation_refused: ({ who, reason, count, number }) => [
        `${who} não foi autorizado a assinar.`,
        reason && `${reason}.`,
        count('count') > 1 ? `${number('count')} vezes desde a última indicação.` : '',
      ],
      permission_refused: ({ who, permission }) => [
        `${who} não foi autorizado a ${permission}.`,
        'Nada foi alterado.',
      ],
      ca_refusal_reported: ({ who, count, number }) => [
        `${who} comunicou que a CA recusa assinaturas.`,
        count('count') > 1 ? `${number('count')} vezes desde a última indicação.` : '',
        'Nada foi suspenso por causa disso.',
      ],
      certificate_created: ({ who, text }) => [
        `${who} registou o certificado ${quoted(text('alias'))}.`,
      ],
      client_service_created: ({ who, text }) => [
        `${who} registou o serviço de cliente ${quoted(text('alias'))}.`,
      ],
    },
    unknown: ['Aconteceu algo para o qual esta página ainda não tem palavras.'],
  },
});
