import { defineTexts } from '../../language/texts.ts';

export const attentionTexts = defineTexts({
  en: {
    nothing: 'Nothing needs you now',
    more: (count: string) => `and ${count} more`,
    lapsed: 'Blocked: renew to sign again',
    certificateEnded: 'Blocked: replace the certificate to sign again',
    servicesSuspended: 'Services wait to be activated',
    suspended: (count: number) =>
      count === 1 ? '1 service suspended' : `${count} services suspended`,
    nobodyReachable: 'Nobody can be reached by mail',
    nobodyReachableWhy: 'The last mail to every operator was refused',
    endsAt: (when: string) => `Ends ${when}`,
    endsAtThisRate: (when: string) => `Ends ${when} at this rate`,
    undelivered: {
      refused: (name: string) => `The mail to ${name} was refused`,
      failed: (name: string) => `The mail to ${name} is not sent yet`,
    },
    renewing: (name: string) => `${name} is renewing`,
    since: (when: string) => `Started ${when}`,
  },
  'pt-PT': {
    nothing: 'Nada precisa de si agora',
    more: (count: string) => `e mais ${count}`,
    lapsed: 'Bloqueado: renove para voltar a assinar',
    certificateEnded: 'Bloqueado: substitua o certificado para voltar a assinar',
    servicesSuspended: 'Há serviços por ativar',
    suspended: (count: number) =>
      count === 1 ? '1 serviço suspenso' : `${count} serviços suspensos`,
    nobodyReachable: 'Ninguém pode ser contactado por e-mail',
    nobodyReachableWhy: 'O último e-mail para cada operador foi recusado',
    endsAt: (when: string) => `Termina ${when}`,
    endsAtThisRate: (when: string) => `A este ritmo, termina ${when}`,
    undelivered: {
      refused: (name: string) => `O e-mail para ${name} foi recusado`,
      failed: (name: string) => `O e-mail para ${name} ainda não foi enviado`,
    },
    renewing: (name: string) => `${name} está a renovar`,
    since: (when: string) => `Iniciada ${when}`,
  },
});
