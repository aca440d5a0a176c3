import type { Role } from '../../../../../domain/roles.ts';
import { defineTexts } from '../../language/texts.ts';

/** Words that the parts of an account's screen share. */
export const accountTexts = defineTexts<{
  readonly parts: Readonly<Record<'settings' | 'operators' | 'api-keys', string>>;
  readonly roleMeaning: Readonly<Record<Role, string>>;
  readonly actions: string;
}>({
  en: {
    parts: { settings: 'Settings', operators: 'Operators', 'api-keys': 'API keys' },
    roleMeaning: {
      viewer: 'Sees everything and gets the mails. Changes nothing.',
      operator: 'Also renews the access and activates client services.',
      admin: 'Also changes settings, operators and API keys, and may use the emergency stop.',
    },
    actions: 'Actions',
  },
  'pt-PT': {
    parts: { settings: 'Definições', operators: 'Operadores', 'api-keys': 'Chaves de API' },
    roleMeaning: {
      viewer: 'Vê tudo e recebe os e-mails. Não altera nada.',
      operator: 'Além disso, renova o acesso e ativa serviços de cliente.',
      admin:
        'Além disso, altera definições, operadores e chaves de API, e pode usar a paragem de emergência.',
    },
    actions: 'Ações',
  },
});
