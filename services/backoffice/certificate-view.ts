import { z } from 'zod';
import { usagePercent, type Standing } from '../../domain/grant.ts';
import { grantWorkflowId } from '../../domain/messages.ts';
import type { Policy } from '../../domain/policy.ts';
import { may, permissions, permissionsOf, roles } from '../../domain/roles.ts';
import type { VisibleCertificate } from '../../infra/postgres/certificates.ts';
import type { ClientService } from '../../infra/postgres/client-services.ts';
import type { StoredGrant } from '../../infra/postgres/grants.ts';
import { accessNow } from './access-now.ts';
import type { ListItem } from './certificate-list.ts';
import { bindingLimit, instant, renewalView, type RenewalView } from './renewal-view.ts';

export const standingNames = ['none', 'in_force', 'warned', 'lapsed'] as const;
export const lapseReasons = [
  'grant_expired',
  'allowance_exhausted',
  'revoked',
  'ended_by_ca',
  'certificate_ended',
] as const;

const standingShape = {
  standing: z.enum(standingNames),
  reason: z.enum(lapseReasons).nullable(),
  warnings: z.array(z.enum(['time', 'usage'])),
};
const usageShape = {
  allowance: z.int().nullable(),
  used: z.int().nullable(),
  usagePercent: z.int().nullable(),
};

export const listItemView = z
  .strictObject({
    id: z.string(),
    alias: z.string(),
    subject: z.string(),
    account: z.strictObject({ id: z.string(), name: z.string() }),
    notAfter: instant,
    ...standingShape,
    effectiveAt: instant.nullable(),
    expiresAt: instant.nullable(),
    /** When the first limit will be reached at this rate; only while in force. */
    endsAt: instant.nullable(),
    bindingLimit: bindingLimit.nullable(),
    ...usageShape,
    suspendedServiceCount: z.int(),
    permissions: z.array(z.enum(permissions)),
  })
  .meta({ id: 'ListedCertificate' });

const clientServiceView = z
  .strictObject({
    id: z.string(),
    alias: z.string(),
    status: z.enum(['active', 'suspended', 'inactive']),
    reason: z.string().nullable(),
    suspendedAt: instant.nullable(),
    /** Whether the platform took it out of service, so that it is for an operator to activate again. */
    wasActive: z.boolean(),
  })
  .meta({ id: 'ClientService' });

const accessView = z.strictObject({
  ...standingShape,
  grantId: z.string().nullable(),
  effectiveAt: instant.nullable(),
  expiresAt: instant.nullable(),
  /** When the grant ended, where that was before its expiry. */
  endedAt: instant.nullable(),
  grantedBy: z.string().nullable(),
  ...usageShape,
  remaining: z.int().nullable(),
  bindingLimit: bindingLimit.nullable(),
  /** Only while in force. */
  forecast: z
    .strictObject({
      endsAt: instant,
      usageLimitAt: instant.nullable(),
      signaturesPerDay: z.int(),
    })
    .nullable(),
});

export const certificateView = z
  .strictObject({
    id: z.string(),
    alias: z.string(),
    subject: z.string(),
    issuer: z.string(),
    serial: z.string(),
    notAfter: instant,
    account: z.strictObject({ id: z.string(), name: z.string(), timeZone: z.string() }),
    ca: z.strictObject({
      name: z.string(),
      clientAccountUrl: z.string().nullable(),
      /** The client account to sign in with at the CA. */
      clientAccount: z.string(),
    }),
    access: accessView,
    clientServices: z.array(clientServiceView),
    openRenewal: renewalView.nullable(),
    role: z.enum(roles),
    permissions: z.array(z.enum(permissions)),
    /** The execution in Temporal's UI, for those who may see it. */
    workflowUrl: z.string().nullable(),
    serverNow: instant,
  })
  .meta({ id: 'Certificate' });

type CertificateView = z.output<typeof certificateView>;

function presentStanding(standing: Standing) {
  return {
    standing: standing.kind,
    reason: standing.kind === 'lapsed' ? standing.reason : null,
    warnings: standing.kind === 'warned' ? [...standing.warnings] : [],
  };
}

function presentUsage(grant: { readonly allowance: number } | undefined, used: number) {
  if (grant === undefined) return { allowance: null, used: null, usagePercent: null };
  const { allowance } = grant;
  return { allowance, used, usagePercent: usagePercent(used, allowance) };
}

export function presentListItem({ certificate, access }: ListItem): z.output<typeof listItemView> {
  const { account, grant, used } = certificate;
  return {
    id: certificate.certificateId,
    alias: certificate.alias,
    subject: certificate.subject,
    account: { id: account.accountId, name: account.name },
    notAfter: certificate.notAfter.toISOString(),
    ...presentStanding(access.standing),
    effectiveAt: grant?.effectiveAt.toISOString() ?? null,
    expiresAt: grant?.expiresAt.toISOString() ?? null,
    endsAt: access.forecast?.endsAt.toISOString() ?? null,
    bindingLimit: access.bindingLimit ?? null,
    ...presentUsage(grant, used),
    suspendedServiceCount: certificate.suspendedServiceCount,
    permissions: permissionsOf(certificate.role),
  };
}

function presentClientService(service: ClientService): z.output<typeof clientServiceView> {
  const { suspension } = service;
  return {
    id: service.clientServiceId,
    alias: service.alias,
    status: service.status,
    reason: suspension?.reason ?? null,
    suspendedAt: suspension?.placedAt.toISOString() ?? null,
    wasActive: service.status === 'suspended' && suspension !== undefined,
  };
}

export type CertificateFacts = {
  readonly certificate: VisibleCertificate;
  readonly latest: StoredGrant | undefined;
  readonly grantedBy: string | undefined;
  readonly services: readonly ClientService[];
  readonly openRenewal: RenewalView | undefined;
  /** The namespace's page in Temporal UI. */
  readonly workflowsUrl: string;
  readonly now: Date;
  readonly policy: Policy;
};

export function presentCertificate(facts: CertificateFacts): CertificateView {
  const { certificate, latest, services, openRenewal, now } = facts;
  const { account, authority } = certificate;
  const workflowOf = latest?.grantId ?? openRenewal?.id;
  return {
    id: certificate.certificateId,
    alias: certificate.alias,
    subject: certificate.subject,
    issuer: certificate.issuer,
    serial: certificate.serial,
    notAfter: certificate.notAfter.toISOString(),
    account: { id: account.accountId, name: account.name, timeZone: account.timeZone },
    ca: {
      name: authority.name,
      clientAccountUrl: authority.clientAccountUrl ?? null,
      clientAccount: certificate.caAccount,
    },
    access: presentAccess(facts),
    clientServices: services.map(presentClientService),
    openRenewal: openRenewal ?? null,
    role: certificate.role,
    permissions: permissionsOf(certificate.role),
    workflowUrl:
      workflowOf === undefined || !may(certificate.role, 'inspect')
        ? null
        : `${facts.workflowsUrl}/${encodeURIComponent(grantWorkflowId(workflowOf))}`,
    serverNow: now.toISOString(),
  };
}

function presentAccess({
  latest,
  grantedBy,
  now,
  policy,
}: CertificateFacts): CertificateView['access'] {
  const grant = latest?.grant;
  const used = latest?.used ?? 0;
  const { standing, forecast, bindingLimit } = accessNow(
    { grant, bindingLimit: latest?.bindingLimit, used },
    now,
    policy,
  );
  return {
    ...presentStanding(standing),
    grantId: latest?.grantId ?? null,
    effectiveAt: grant?.effectiveAt.toISOString() ?? null,
    expiresAt: grant?.expiresAt.toISOString() ?? null,
    endedAt: grant?.endedAt?.toISOString() ?? null,
    grantedBy: grantedBy ?? null,
    ...presentUsage(grant, used),
    remaining: grant === undefined ? null : Math.max(0, grant.allowance - used),
    bindingLimit: bindingLimit ?? null,
    forecast: forecast
      ? {
          endsAt: forecast.endsAt.toISOString(),
          usageLimitAt: forecast.usageLimitAt?.toISOString() ?? null,
          signaturesPerDay: forecast.signaturesPerDay,
        }
      : null,
  };
}
