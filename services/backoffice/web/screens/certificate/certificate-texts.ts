import { defineTexts } from '../../language/texts.ts';

export const certificateTexts = defineTexts({
  en: {
    back: 'All certificates',
    general: 'General information',
    account: 'Account',
    subject: 'Subject',
    issuer: 'Issuer',
    serial: 'Serial number',
    ends: 'Certificate valid until',
    workflow: 'Execution',
    openWorkflow: 'Open in Temporal’s UI',
    access: 'Certificate authority access',
    authority: 'Certificate authority',
    clientAccount: 'Client account at the CA',
    granted: 'Granted',
    grantedBy: (when: string, who: string) => `${when}, by ${who}`,
    limit: 'Ends first by',
    forecast: 'Signature limit at this rate',
    rate: (perDay: string) => `${perDay} a day`,
    notBefore: 'Not before the expiration date',
    noRate: 'No signatures yet to tell by',
    neverTitle: 'No access yet',
    never:
      'Nothing can be signed with this certificate until the certificate authority has given the access. Start with Renew.',
    blocked: 'Nothing can be signed with this certificate',
    blockedSince: (reason: string, when: string) => `${reason}: ${when}.`,
    blockedNext: 'Renew the access, then activate the client services by hand.',
    certificateEnded:
      'Renewing the access does not help: the certificate has to be replaced by a new one.',
    certificateBinds:
      'The certificate itself ends before a whole access would. Plan its replacement: renewing does not reach beyond it.',
    renewNow: 'Renew before it ends, so that nothing stops.',
    ask: (names: string) => `Your role here lets you look. To renew, ask ${names}.`,
    askSomebody: 'an operator or administrator of the account',
    stopTitle: 'Emergency stop',
    stopText:
      'Ends the access at once, for example when somebody may be misusing the certificate. Nothing can be signed with it any more, and its client services are suspended.',
    stopButton: 'Stop signing …',
    stopAsk: (alias: string) => `Stop signing with “${alias}”?`,
    stopWhat: [
      'The access ends now; the permission is also withdrawn at the certificate authority.',
      'Every active client service of this certificate is suspended.',
      'To sign again, the access has to be renewed and each service activated by hand. This cannot be undone.',
    ],
    stopReason: 'Reason',
    stopReasonHint: 'Kept in the timeline, for your colleagues.',
    stopNow: 'Stop signing now',
    stopped: (count: number) =>
      count === 1
        ? 'Signing was stopped. 1 client service was suspended.'
        : `Signing was stopped. ${count} client services were suspended.`,
  },
  'pt-PT': {
    back: 'Todos os certificados',
    general: 'Informação geral',
    account: 'Conta',
    subject: 'Titular',
    issuer: 'Emissor',
    serial: 'Número de série',
    ends: 'Certificado válido até',
    workflow: 'Execução',
    openWorkflow: 'Abrir na interface do Temporal',
    access: 'Acesso à entidade certificadora',
    authority: 'Entidade certificadora',
    clientAccount: 'Conta de cliente na CA',
    granted: 'Concedido',
    grantedBy: (when: string, who: string) => `${when}, por ${who}`,
    limit: 'Termina primeiro por',
    forecast: 'Limite de assinaturas a este ritmo',
    rate: (perDay: string) => `${perDay} por dia`,
    notBefore: 'Não antes da data de expiração',
    noRate: 'Ainda sem assinaturas para estimar',
    neverTitle: 'Ainda sem acesso',
    never:
      'Nada pode ser assinado com este certificado enquanto a entidade certificadora não der o acesso. Comece por Renovar.',
    blocked: 'Nada pode ser assinado com este certificado',
    blockedSince: (reason: string, when: string) => `${reason}: ${when}.`,
    blockedNext: 'Renove o acesso e depois ative os serviços de cliente manualmente.',
    certificateEnded:
      'Renovar o acesso não ajuda: o certificado tem de ser substituído por um novo.',
    certificateBinds:
      'O próprio certificado termina antes de um acesso completo. Planeie a sua substituição: renovar não vai além dele.',
    renewNow: 'Renove antes que termine, para que nada pare.',
    ask: (names: string) => `O seu papel aqui permite consultar. Para renovar, peça a ${names}.`,
    askSomebody: 'um operador ou administrador da conta',
    stopTitle: 'Paragem de emergência',
    stopText:
      'Termina o acesso de imediato, por exemplo quando alguém possa estar a usar mal o certificado. Nada mais pode ser assinado com ele e os seus serviços de cliente são suspensos.',
    stopButton: 'Parar as assinaturas …',
    stopAsk: (alias: string) => `Parar as assinaturas com “${alias}”?`,
    stopWhat: [
      'O acesso termina já; a permissão é também retirada na entidade certificadora.',
      'Todos os serviços de cliente ativos deste certificado são suspensos.',
      'Para voltar a assinar é preciso renovar o acesso e ativar cada serviço manualmente. Não é possível anular.',
    ],
    stopReason: 'Motivo',
    stopReasonHint: 'Fica na cronologia, para os seus colegas.',
    stopNow: 'Parar as assinaturas já',
    stopped: (count: number) =>
      count === 1
        ? 'As assinaturas foram paradas. 1 serviço de cliente foi suspenso.'
        : `As assinaturas foram paradas. ${count} serviços de cliente foram suspensos.`,
  },
});
