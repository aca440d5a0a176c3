import { defineTexts } from '../../language/texts.ts';

export const listTexts = defineTexts({
  en: {
    search: 'Search',
    searchHint: 'Name, subject, serial number',
    account: 'Account',
    allAccounts: 'All accounts',
    order: 'Order',
    sorts: { trouble: 'Soonest trouble first', alias: 'By name', expiry: 'By expiration date' },
    standing: 'Standing',
    all: 'All',
    shown: (shown: string, total: string) =>
      shown === total ? `${total} certificates` : `${shown} of ${total} certificates`,
    suspended: (count: number) =>
      count === 1 ? '1 service suspended' : `${count} services suspended`,
    more: 'Show more',
    nothingFound: 'No certificate fits this search.',
    showAll: 'Show all certificates',
    empty: 'There are no certificates in your accounts yet.',
    emptyWhy:
      'The platform’s engineers register them. Once one is there, start with Renew on its page.',
  },
  'pt-PT': {
    search: 'Procurar',
    searchHint: 'Nome, titular, número de série',
    account: 'Conta',
    allAccounts: 'Todas as contas',
    order: 'Ordem',
    sorts: {
      trouble: 'Problema mais próximo primeiro',
      alias: 'Por nome',
      expiry: 'Por data de expiração',
    },
    standing: 'Situação',
    all: 'Todos',
    shown: (shown: string, total: string) =>
      shown === total ? `${total} certificados` : `${shown} de ${total} certificados`,
    suspended: (count: number) =>
      count === 1 ? '1 serviço suspenso' : `${count} serviços suspensos`,
    more: 'Mostrar mais',
    nothingFound: 'Nenhum certificado corresponde a esta procura.',
    showAll: 'Mostrar todos os certificados',
    empty: 'Ainda não há certificados nas suas contas.',
    emptyWhy:
      'São registados pelos engenheiros da plataforma. Quando houver um, comece por Renovar na página dele.',
  },
});
