import type { MailTexts } from './texts.ts';

/** European Portuguese. */
export const ptPt: MailTexts = {
  tag: 'pt-PT',
  locale: 'pt-PT',
  timeLeft: (days) =>
    days === 0 ? 'hoje' : days === 1 ? 'amanhã, falta 1 dia' : `faltam ${days} dias`,
  greeting: (name) => `Olá ${name},`,
  more: (count) => `mais ${count}`,
  usage: (w) => `${w.used} de ${w.allowance} assinaturas (${w.percent} %)`,
  someone: 'um administrador',
  labels: {
    certificate: 'Certificado',
    account: 'Conta',
    authority: 'Entidade certificadora',
    endsAt: 'O acesso termina',
    endedAt: 'O acesso terminou',
    timeLeft: 'Tempo restante',
    usage: 'Utilização',
    limit: 'O que o termina primeiro',
    reason: 'Motivo',
    stoppedBy: 'Parado por',
    reportedAt: 'Comunicado',
    caError: 'A entidade respondeu',
    role: 'O seu papel',
    invitedBy: 'Convite de',
    linkEndsAt: 'A ligação serve até',
    requestedAt: 'Pedida',
    changedAt: 'Alterada',
    changedBy: 'Como',
  },
  limits: {
    policy_time: (w) => `O limite de tempo: ${w.termDays} dias desde que o acesso foi dado`,
    policy_usage: (w) => `O limite de utilização: ${w.allowance} assinaturas`,
    ca: (w) => `O que ${w.authority} autorizou, menos do que os limites habituais`,
    certificate: () => 'O fim do próprio certificado',
  },
  titles: {
    otherwise: 'O que acontece se nada for feito',
    whatToDo: 'O que fazer',
    suspended: 'Serviços de cliente suspensos',
    notExpected: 'Se não esperava esta mensagem',
  },
  openCertificate: 'Abrir o certificado',
  otherwise: () =>
    'Quando o acesso terminar, deixa imediatamente de ser possível assinar com este certificado e todos os serviços de cliente que o usam são suspensos. Após uma renovação posterior, cada um tem de ser ativado de novo manualmente.',
  renewSteps: (w) => [
    'Abra a ligação abaixo, que leva a Certificados > Detalhe.',
    'No segundo cartão, prima Renovar e confirme o redirecionamento.',
    `Autentique-se em ${w.authority} com a conta de cliente e introduza o PIN ou o OTP, se forem pedidos.`,
  ],
  renewalCountsFromNow:
    'O novo acesso conta a partir do momento da renovação, com a contagem de assinaturas a zero. Os dias que faltavam não são somados.',
  replace: {
    why: () =>
      'O próprio certificado termina. Renovar o acesso não ajuda: o certificado tem de ser substituído.',
    steps: (w) => [
      `Encomende o certificado de substituição a ${w.authority}.`,
      'Peça o seu registo e renove o acesso ao novo certificado.',
      'Mude os serviços de cliente para o novo certificado.',
    ],
  },
  reminder: {
    subject: {
      time: (w) => `O acesso a '${w.alias}' termina ${w.endsAtShort} - ${w.timeLeft}`,
      usage: (w) =>
        `${w.percent} % das assinaturas usadas: '${w.alias}', o acesso termina ${w.endsAtShort} - ${w.timeLeft}`,
      both: (w) =>
        `O acesso a '${w.alias}' termina ${w.endsAtShort} - ${w.timeLeft}, ${w.percent} % usado`,
    },
    headline: {
      time: (w) => `O acesso a '${w.alias}' está a terminar`,
      usage: (w) => `As assinaturas de '${w.alias}' estão quase esgotadas`,
      both: (w) => `O acesso a '${w.alias}' está a terminar e as assinaturas estão quase esgotadas`,
    },
    lead: {
      time: (w) =>
        `A autorização de ${w.authority} para assinar com este certificado termina a ${w.endsAt}.`,
      usage: (w) =>
        `Das ${w.allowance} assinaturas que ${w.authority} autorizou, ${w.used} estão usadas (${w.percent} %). O acesso termina quando todas estiverem usadas ou a ${w.endsAt}, o que acontecer primeiro.`,
      both: (w) =>
        `A autorização de ${w.authority} para assinar com este certificado termina a ${w.endsAt}, ou antes, se as assinaturas se esgotarem: ${w.used} de ${w.allowance} estão usadas (${w.percent} %).`,
    },
    closing: (w) =>
      `Todos os operadores de ${w.account} recebem esta mensagem e basta que um trate do assunto. É enviada uma vez por dia até o acesso ser renovado ou terminar.`,
  },
  usageWarning: {
    lead: (w) =>
      `A utilização deste certificado acaba de atingir o nível de aviso: das ${w.allowance} assinaturas que ${w.authority} autorizou, ${w.used} estão usadas (${w.percent} %). O acesso termina quando todas estiverem usadas ou a ${w.endsAt}, o que acontecer primeiro.`,
  },
  usageBadge: (w) => `${w.percent} % usado`,
  lapsed: {
    badge: 'Assinatura parada',
    subject: {
      grant_expired: (w) =>
        `Assinatura parada: o acesso a '${w.alias}' terminou ${w.happenedAtShort}`,
      allowance_exhausted: (w) =>
        `Assinatura parada: todas as assinaturas de '${w.alias}' usadas ${w.happenedAtShort}`,
      revoked: (w) =>
        `Assinatura parada: paragem de emergência de '${w.alias}' ${w.happenedAtShort}`,
      ended_by_ca: (w) =>
        `Assinatura parada: a entidade terminou o acesso a '${w.alias}' ${w.happenedAtShort}`,
      certificate_ended: (w) =>
        `Assinatura parada: o certificado '${w.alias}' terminou ${w.happenedAtShort}`,
    },
    headline: (w) => `Não é possível assinar com '${w.alias}'`,
    lead: {
      grant_expired: (w) =>
        `A autorização de ${w.authority} para assinar com este certificado atingiu o limite de tempo a ${w.happenedAt}.`,
      allowance_exhausted: (w) =>
        `As ${w.allowance} assinaturas que ${w.authority} autorizou com este certificado esgotaram-se a ${w.happenedAt}.`,
      revoked: (w) =>
        `${w.revokedBy} acionou a paragem de emergência deste certificado a ${w.happenedAt}.`,
      ended_by_ca: (w) =>
        `${w.authority} terminou antes do tempo a autorização para assinar com este certificado, a ${w.happenedAt}.`,
      certificate_ended: (w) => `Este certificado chegou ao seu próprio fim a ${w.happenedAt}.`,
    },
    reasons: {
      grant_expired: () => 'O limite de tempo foi atingido',
      allowance_exhausted: () => 'O limite de utilização foi atingido',
      revoked: () => 'Paragem de emergência',
      ended_by_ca: () => 'Terminado pela entidade certificadora',
      certificate_ended: () => 'O próprio certificado terminou',
    },
    before: {
      grant_expired: () => 'Renove o acesso e depois ative os serviços de cliente.',
      allowance_exhausted: () => 'Renove o acesso e depois ative os serviços de cliente.',
      revoked: (w) =>
        `Fale primeiro com ${w.revokedBy}: houve uma razão para parar. Quando estiver resolvida, renove o acesso e depois ative os serviços de cliente.`,
      ended_by_ca: (w) =>
        `Se não esperava isto, pergunte a ${w.authority} porquê. Depois renove o acesso e ative os serviços de cliente.`,
    },
    activate:
      'Depois ative manualmente cada serviço de cliente na mesma página. A renovação, por si só, não ativa nada.',
    noneSuspended: 'Nenhum serviço de cliente deste certificado estava ativo.',
    closing: (w) =>
      `Todos os operadores de ${w.account} recebem esta mensagem e basta que um trate do assunto.`,
  },
  caRefusal: {
    badge: 'A verificar',
    subject: (w) =>
      `A entidade recusa assinaturas com '${w.alias}', comunicado ${w.happenedAtShort} (o acesso termina ${w.endsAtShort}, ${w.timeLeft})`,
    headline: (w) => `${w.authority} recusa assinaturas com '${w.alias}'`,
    lead: (w) =>
      `A ${w.happenedAt}, um serviço de assinatura comunicou que ${w.authority} recusa o acesso a este certificado, embora nos nossos registos esteja em vigor até ${w.endsAt}.`,
    nothingSuspended: () =>
      'Nada foi suspenso: os serviços de cliente continuam ativos, mas as suas assinaturas podem falhar.',
    steps: (w) => [
      `Verifique na conta de cliente em ${w.authority} se o acesso continua confirmado.`,
      'Abra a ligação abaixo, prima Renovar no segundo cartão e autentique-se na entidade: obtém assim um novo acesso.',
      `Se depois disso as assinaturas continuarem a ser recusadas, contacte ${w.authority}.`,
    ],
    closing: (w) =>
      `Todos os operadores de ${w.account} recebem esta mensagem e basta que um trate do assunto.`,
  },
  membership: {
    roles: {
      viewer: 'Leitor: vê tudo, não altera nada',
      operator: 'Operador: também renova acessos e ativa serviços',
      admin: 'Administrador: também gere definições, operadores e chaves de API',
    },
    invitation: {
      badge: 'Convite',
      subject: (w) => `Convite de ${w.invitedBy} para ${w.account}`,
      headline: (w) => `Recebeu um convite para ${w.account}`,
      lead: (w) =>
        `${w.invitedBy} deu-lhe acesso, como operador, a ${w.account} no Certificate Access, que mantém em vigor a autorização para assinar com os certificados desta conta. Para iniciar sessão precisa de uma palavra-passe: escolha-a até ${w.endsAt}.`,
      steps: (w) => [
        `Abra a ligação abaixo. Serve uma única vez e até ${w.endsAt}.`,
        'Escolha a sua palavra-passe. Fica logo com a sessão iniciada.',
        'A partir daí, inicie sessão com este endereço de correio eletrónico e a sua palavra-passe.',
      ],
      notExpected: (w) =>
        `Não faça nada: sem a ligação ninguém pode iniciar sessão em seu nome, e ela deixa de servir por si própria a ${w.endsAt}. Se não conhece ${w.invitedBy}, responda a esta mensagem.`,
      keepSecret:
        'Não reencaminhe esta mensagem: quem tiver a ligação pode escolher a palavra-passe.',
      action: 'Escolher a palavra-passe',
    },
    added: {
      badge: 'Outra conta',
      subject: (w) => `${w.invitedBy} deu-lhe acesso a ${w.account}`,
      headline: (w) => `Tem agora acesso a ${w.account}`,
      lead: (w) =>
        `${w.invitedBy} deu-lhe acesso, como operador, a ${w.account} no Certificate Access. Inicie sessão como até agora, com o mesmo endereço de correio eletrónico e a mesma palavra-passe.`,
      notExpected: (w) =>
        `Nada mudou nas suas outras contas nem na sua palavra-passe. Se não conhece ${w.invitedBy}, responda a esta mensagem.`,
      action: 'Iniciar sessão',
    },
    getsMails: (w) =>
      `Enquanto for operador de ${w.account}, recebe as mensagens sobre os certificados desta conta.`,
  },
  password: {
    badge: 'Palavra-passe',
    reset: {
      subject: 'Escolha uma nova palavra-passe para o Certificate Access',
      headline: 'Escolha uma nova palavra-passe',
      lead: (w) =>
        `A ${w.happenedAt} alguém pediu uma nova palavra-passe para iniciar sessão com este endereço de correio eletrónico. Se foi o próprio, escolha-a até ${w.endsAt}. Até lá, a sua palavra-passe está como estava.`,
      steps: (w) => [
        `Abra a ligação abaixo. Serve uma única vez e até ${w.endsAt}.`,
        'Escolha a sua nova palavra-passe. Com isso terminam todas as suas sessões, onde quer que as tenha.',
        'Inicie sessão com este endereço de correio eletrónico e a nova palavra-passe.',
      ],
      notExpected: () =>
        'Não faça nada: a sua palavra-passe fica como está e, sem a ligação, ninguém a pode alterar. Se continuar a receber mensagens destas, responda a esta.',
      keepSecret:
        'Não reencaminhe esta mensagem: quem tiver a ligação pode escolher a palavra-passe.',
      action: 'Escolher uma nova palavra-passe',
    },
    changed: {
      subject: 'A sua palavra-passe do Certificate Access foi alterada',
      headline: 'A sua palavra-passe foi alterada',
      lead: (w) =>
        `A ${w.happenedAt} foi alterada a palavra-passe para iniciar sessão com este endereço de correio eletrónico. Todas as sessões iniciadas com a anterior terminaram.`,
      by: {
        mail: 'Com a ligação de uma mensagem enviada para este endereço',
        present_password: 'Por quem tinha sessão iniciada e sabia a palavra-passe anterior',
      },
      notExpected:
        'Então outra pessoa pode ter a sua palavra-passe ou ler o seu correio. Abra a ligação abaixo e peça já uma nova palavra-passe: isso termina as sessões de quem quer que tenha sido. Depois avise um administrador da sua conta e quem cuida da sua caixa de correio.',
      expected: 'Se foi o próprio, não tem de fazer nada.',
      action: 'Não fui eu: pedir uma nova palavra-passe',
    },
    footer: (w) =>
      `Enviado por Certificate Access. Recebe esta mensagem porque este endereço serve para iniciar sessão, e as horas são as do fuso horário ${w.timeZone}.`,
  },
  footer: (w) =>
    `Enviado por Certificate Access. Recebe esta mensagem como operador de ${w.account}, e as horas são as do fuso horário desta conta, ${w.timeZone}.`,
};
