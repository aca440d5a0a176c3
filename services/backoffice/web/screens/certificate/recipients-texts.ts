import { defineTexts } from '../../language/texts.ts';

export const recipientsTexts = defineTexts({
  en: {
    title: 'Who is told and when',
    manage: 'Manage operators',
    next: 'Next reminder',
    none: 'None is due before the access ends.',
    now: 'It is due, and is being sent.',
    when: 'Reminders',
    daily: (hour: string, before: string, percent: number) =>
      `Daily at ${hour}, from ${before} before the access ends or once more than ${percent} % of the signatures are used, until it is renewed or ends. When signing stops, everybody is told at once.`,
    nothingYet: 'No mail yet',
    you: (name: string) => `${name} (you)`,
    unreachable:
      'When a mail cannot be delivered, every operator of the account sees it here and under the bell. Limits and suspensions do not depend on mails.',
    nobody: 'Nobody can be reached by mail',
    nobodyMend:
      'The last mail about this certificate was refused for every operator. Check the addresses, or invite somebody who can be reached.',
    nobodyAsk:
      'The last mail about this certificate was refused for every operator. Ask an administrator of the account to check the addresses.',
    empty: 'Nobody is told about this certificate.',
    emptyWhy: 'Its account has no operators. Ask the platform’s engineers to enter one.',
  },
  'pt-PT': {
    title: 'Quem é avisado e quando',
    manage: 'Gerir operadores',
    next: 'Próximo lembrete',
    none: 'Não está previsto nenhum antes de o acesso terminar.',
    now: 'Está na hora e está a ser enviado.',
    when: 'Lembretes',
    daily: (hour: string, before: string, percent: number) =>
      `Todos os dias às ${hour}, a partir de ${before} antes de o acesso terminar ou quando mais de ${percent} % das assinaturas estiverem usadas, até ser renovado ou terminar. Quando se deixa de poder assinar, todos são avisados de imediato.`,
    nothingYet: 'Ainda sem e-mail',
    you: (name: string) => `${name} (você)`,
    unreachable:
      'Quando um e-mail não pode ser entregue, todos os operadores da conta o veem aqui e no sino. Os limites e as suspensões não dependem dos e-mails.',
    nobody: 'Ninguém pode ser contactado por e-mail',
    nobodyMend:
      'O último e-mail sobre este certificado foi recusado para todos os operadores. Verifique os endereços, ou convide alguém que possa ser contactado.',
    nobodyAsk:
      'O último e-mail sobre este certificado foi recusado para todos os operadores. Peça a um administrador da conta que verifique os endereços.',
    empty: 'Ninguém é avisado sobre este certificado.',
    emptyWhy: 'A conta não tem operadores. Peça aos engenheiros da plataforma que registem um.',
  },
});
