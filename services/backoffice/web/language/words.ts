import type { ClientServiceStatus } from '../../../../domain/client-service.ts';
import type { BindingLimit, LapseReason, StandingName } from '../../../../domain/grant.ts';
import type { Role } from '../../../../domain/roles.ts';
import { defineTexts } from './texts.ts';

type Words = {
  readonly standing: Readonly<Record<StandingName, string>>;
  readonly warned: { readonly time: string; readonly usage: string; readonly both: string };
  readonly lapsed: Readonly<Record<LapseReason, string>>;
  readonly limit: Readonly<Record<BindingLimit, string>>;
  readonly service: Readonly<Record<ClientServiceStatus, string>>;
  readonly role: Readonly<Record<Role, string>>;
  readonly certificates: string;
  readonly renew: string;
  readonly activate: string;
  readonly cancel: string;
  readonly close: string;
  readonly tryAgain: string;
  readonly loading: string;
  readonly expirationDate: string;
};

/** The product's own words, which every screen shares. */
export const words = defineTexts<Words>({
  en: {
    standing: {
      none: 'Never granted',
      in_force: 'In force',
      warned: 'Renew soon',
      lapsed: 'Blocked',
    },
    warned: { time: 'Ends soon', usage: 'Usage high', both: 'Ends soon, usage high' },
    lapsed: {
      grant_expired: 'The time limit was reached',
      allowance_exhausted: 'All signatures were used',
      revoked: 'Emergency stop',
      ended_by_ca: 'Ended by the certificate authority',
      certificate_ended: 'The certificate itself ended',
    },
    limit: {
      policy_time: 'Time limit',
      policy_usage: 'Signature limit',
      ca: 'What the certificate authority authorised',
      certificate: 'The end of the certificate itself',
    },
    service: { active: 'Active', suspended: 'Suspended', inactive: 'Inactive' },
    role: { viewer: 'Viewer', operator: 'Operator', admin: 'Administrator' },
    certificates: 'Certificates',
    renew: 'Renew',
    activate: 'Activate',
    cancel: 'Cancel',
    close: 'Close',
    tryAgain: 'Try again',
    loading: 'Loading …',
    expirationDate: 'Certificate access expiration date',
  },
  'pt-PT': {
    standing: {
      none: 'Nunca concedido',
      in_force: 'Em vigor',
      warned: 'Renovar em breve',
      lapsed: 'Bloqueado',
    },
    warned: {
      time: 'Termina em breve',
      usage: 'Uso elevado',
      both: 'Termina em breve, uso elevado',
    },
    lapsed: {
      grant_expired: 'O limite de tempo foi atingido',
      allowance_exhausted: 'Todas as assinaturas foram usadas',
      revoked: 'Paragem de emergência',
      ended_by_ca: 'Terminado pela entidade certificadora',
      certificate_ended: 'O próprio certificado terminou',
    },
    limit: {
      policy_time: 'Limite de tempo',
      policy_usage: 'Limite de assinaturas',
      ca: 'O que a entidade certificadora autorizou',
      certificate: 'O fim do próprio certificado',
    },
    service: { active: 'Ativo', suspended: 'Suspenso', inactive: 'Inativo' },
    role: { viewer: 'Leitor', operator: 'Operador', admin: 'Administrador' },
    certificates: 'Certificados',
    renew: 'Renovar',
    activate: 'Ativar',
    cancel: 'Cancelar',
    close: 'Fechar',
    tryAgain: 'Tentar de novo',
    loading: 'A carregar …',
    expirationDate: 'Data de expiração do acesso ao certificado',
  },
});
