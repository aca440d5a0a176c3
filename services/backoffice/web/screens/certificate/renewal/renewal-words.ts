import { defineTexts } from '../../../language/texts.ts';

export const renewalWords = defineTexts({
  en: {
    // Before: the dialog that leads to the CA.
    confirm: (ca: string) => `Confirm redirection to authenticate in ${ca}`,
    whatTitle: 'What will change',
    counts: (days: string) =>
      `The new access lasts ${days} from the moment of the renewal. Days that are left are not added.`,
    zero: (allowance: string) => `The signature count starts again at zero, of ${allowance}.`,
    services: (count: number) =>
      count === 0
        ? 'Client services stay as they are.'
        : `A renewal activates nothing by itself: afterwards you activate the ${count === 1 ? 'suspended service' : `${count} suspended services`} here.`,
    old: 'Until the certificate authority has agreed, everything stays as it is.',
    forWhom: 'You act for',
    at: 'You are sent to',
    clientAccount: 'Sign in there as',
    where:
      'Sign in there with the client account and allow the access. You come back here by yourself.',
    time: (minutes: string) => `You have ${minutes} for all of it.`,
    doubt: 'Not sure whether you can get into the client account?',
    check: 'Check it at the certificate authority first',
    newTab: '(opens in a new tab)',
    go: 'Continue to the authentication',
    going: 'You are being redirected …',
    busy: (name: string, since: string) => `${name} has been renewing this access since ${since}.`,
    busyWhat:
      'You can wait for it, or take it over: your colleague’s attempt ends then, and you start at the certificate authority.',
    takeOver: 'Take over',
    // Open ones, as seen on the card.
    yours: (since: string) => `You started a renewal at ${since}.`,
    theirs: (name: string, since: string) =>
      `${name} has been renewing this access since ${since}.`,
    openUntil: (until: string) =>
      `It stays open until ${until}. The present access stays as it is.`,
    enterCode: 'Enter the code',
    again: 'Go to the certificate authority again',
    startAgain: 'Start again',
    abandon: 'Abandon',
    waitsAtCa: 'It is waiting for you at the certificate authority.',
    asking: 'The certificate authority is being asked …',
    askingWhat: 'This takes up to half a minute. Nothing is asked twice.',
    // The code.
    codeTitle: 'Authorize the renewal',
    codeFor: (alias: string, ca: string) => `For “${alias}” at ${ca}`,
    left: 'Time left for this code',
    closed:
      'The two minutes for this code are over. What you typed is still here; ask for a new code to go on.',
    closedNoCode: 'The two minutes are over. What you typed is still here; take two more to go on.',
    sent: 'The code was sent to you by the certificate authority.',
    offline: 'Read the code from your device or app.',
    optional: 'optional',
    authorize: 'Authorize',
    newCode: 'Send a new code',
    moreTime: 'Two more minutes',
    newCodeIn: (seconds: number) => `A new code can be sent in ${seconds} s.`,
    newCodeSent: 'A new code was sent. Use the newest one.',
    moreTimeGiven: 'You have two more minutes.',
    tries: (count: number) => (count === 1 ? '1 try left' : `${count} tries left`),
    later: 'Not now',
    laterHint: 'Closing this changes nothing: the renewal waits until its time is over.',
    announce: (seconds: number) =>
      seconds === 0 ? 'The time for this code is over.' : `${seconds} seconds left.`,
    rejected: 'The PIN or the code was not accepted.',
    usedUp: 'That code is used up: ask for a new one, then type everything again.',
    rejectedPin: 'The PIN was not accepted.',
    rejectedOtp: 'The code was not accepted.',
    // After.
    doneTitle: 'The access was renewed',
    done: (until: string) => `It is now good until ${until}, and the signature count is zero.`,
    shorter: (until: string, allowance: string) =>
      `The certificate authority authorised only until ${until}, for ${allowance} signatures.`,
    certificateBinds: (until: string) =>
      `It holds only until ${until}, because the certificate itself ends then.`,
    suspended: 'These services were suspended and were active before. Activate them by hand:',
    activateAll: (count: number) => `Activate all ${count}`,
    finish: 'Done',
    outcomeTitle: 'The renewal was not completed',
    unknownTitle: 'It is not known whether the renewal succeeded',
    toNewer: 'Go to the newer renewal',
    notHere: 'This renewal belongs to another certificate.',
    toThere: 'Go there',
    gone: 'This renewal is not there, or not for you to see.',
  },
  'pt-PT': {
    confirm: (ca: string) => `Confirme o redirecionamento para se autenticar em ${ca}`,
    whatTitle: 'O que vai mudar',
    counts: (days: string) =>
      `O novo acesso dura ${days} a contar do momento da renovação. Os dias que faltam não são acrescentados.`,
    zero: (allowance: string) => `A contagem de assinaturas recomeça em zero, de ${allowance}.`,
    services: (count: number) =>
      count === 0
        ? 'Os serviços de cliente ficam como estão.'
        : `Uma renovação não ativa nada por si: depois, ative aqui ${count === 1 ? 'o serviço suspenso' : `os ${count} serviços suspensos`}.`,
    old: 'Enquanto a entidade certificadora não concordar, tudo fica como está.',
    forWhom: 'Age em nome de',
    at: 'É enviado para',
    clientAccount: 'Inicie aí sessão como',
    where:
      'Inicie aí sessão com a conta de cliente e permita o acesso. Volta para aqui automaticamente.',
    time: (minutes: string) => `Tem ${minutes} para tudo.`,
    doubt: 'Não tem a certeza de que consegue entrar na conta de cliente?',
    check: 'Verifique primeiro na entidade certificadora',
    newTab: '(abre num novo separador)',
    go: 'Continuar para a autenticação',
    going: 'A redirecionar …',
    busy: (name: string, since: string) => `${name} está a renovar este acesso desde as ${since}.`,
    busyWhat:
      'Pode esperar, ou assumir a renovação: a tentativa do colega termina e começa você na entidade certificadora.',
    takeOver: 'Assumir',
    yours: (since: string) => `Iniciou uma renovação às ${since}.`,
    theirs: (name: string, since: string) =>
      `${name} está a renovar este acesso desde as ${since}.`,
    openUntil: (until: string) => `Fica aberta até às ${until}. O acesso atual fica como está.`,
    enterCode: 'Introduzir o código',
    again: 'Voltar à entidade certificadora',
    startAgain: 'Começar de novo',
    abandon: 'Abandonar',
    waitsAtCa: 'Está à sua espera na entidade certificadora.',
    asking: 'A consultar a entidade certificadora …',
    askingWhat: 'Demora até meio minuto. Nada é pedido duas vezes.',
    codeTitle: 'Autorizar a renovação',
    codeFor: (alias: string, ca: string) => `Para “${alias}” em ${ca}`,
    left: 'Tempo restante para este código',
    closed:
      'Os dois minutos deste código passaram. O que escreveu continua aqui; peça um novo código para continuar.',
    closedNoCode:
      'Os dois minutos passaram. O que escreveu continua aqui; peça mais dois para continuar.',
    sent: 'O código foi-lhe enviado pela entidade certificadora.',
    offline: 'Leia o código no seu dispositivo ou aplicação.',
    optional: 'opcional',
    authorize: 'Autorizar',
    newCode: 'Enviar um novo código',
    moreTime: 'Mais dois minutos',
    newCodeIn: (seconds: number) => `Pode ser enviado um novo código daqui a ${seconds} s.`,
    newCodeSent: 'Foi enviado um novo código. Use o mais recente.',
    moreTimeGiven: 'Tem mais dois minutos.',
    tries: (count: number) => (count === 1 ? 'Resta 1 tentativa' : `Restam ${count} tentativas`),
    later: 'Agora não',
    laterHint: 'Fechar não muda nada: a renovação espera até o seu tempo terminar.',
    announce: (seconds: number) =>
      seconds === 0 ? 'O tempo para este código terminou.' : `Faltam ${seconds} segundos.`,
    rejected: 'O PIN ou o código não foi aceite.',
    usedUp: 'Esse código já não serve: peça um novo e volte a escrever tudo.',
    rejectedPin: 'O PIN não foi aceite.',
    rejectedOtp: 'O código não foi aceite.',
    doneTitle: 'O acesso foi renovado',
    done: (until: string) =>
      `É agora válido até ${until} e a contagem de assinaturas está em zero.`,
    shorter: (until: string, allowance: string) =>
      `A entidade certificadora autorizou só até ${until}, para ${allowance} assinaturas.`,
    certificateBinds: (until: string) =>
      `Vale só até ${until}, porque o próprio certificado termina nessa altura.`,
    suspended: 'Estes serviços foram suspensos e estavam ativos antes. Ative-os manualmente:',
    activateAll: (count: number) => `Ativar os ${count}`,
    finish: 'Concluir',
    outcomeTitle: 'A renovação não foi concluída',
    unknownTitle: 'Não se sabe se a renovação foi concluída',
    toNewer: 'Ir para a renovação mais recente',
    notHere: 'Esta renovação é de outro certificado.',
    toThere: 'Ir para lá',
    gone: 'Esta renovação não existe, ou não a pode ver.',
  },
});
