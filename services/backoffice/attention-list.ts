import { z } from 'zod';
import { forecastOf } from '../../domain/forecast.ts';
import { standingOf, type LapseReason } from '../../domain/grant.ts';
import type { Policy } from '../../domain/policy.ts';
import type { ListedCertificate } from '../../infra/postgres/certificates.ts';
import type { LastMail } from '../../infra/postgres/reachability.ts';
import { overdueOutcome, type StoredRenewal } from '../../infra/postgres/renewals.ts';
import { lapseReasons } from './certificate-view.ts';
import { instant } from './renewal-view.ts';

const account = z.strictObject({ id: z.string(), name: z.string() });
const certificate = z.strictObject({ id: z.string(), alias: z.string() });

export const attentionItem = z
  .discriminatedUnion('kind', [
    z.strictObject({
      kind: z.literal('certificate_lapsed'),
      account,
      certificate,
      reason: z.enum(lapseReasons),
      /** Null where only the count is known that ended it. */
      since: instant.nullable(),
      suspendedServiceCount: z.int(),
    }),
    z.strictObject({
      kind: z.literal('services_suspended'),
      account,
      certificate,
      suspendedServiceCount: z.int(),
    }),
    z.strictObject({ kind: z.literal('nobody_reachable'), account }),
    z.strictObject({
      kind: z.literal('certificate_warned'),
      account,
      certificate,
      warnings: z.array(z.enum(['time', 'usage'])),
      /** When the first limit will be reached at this rate. */
      endsAt: instant,
    }),
    z.strictObject({
      kind: z.literal('mail_undelivered'),
      account,
      certificate,
      operatorName: z.string(),
      /** `failed` is tried again, `refused` is not. */
      state: z.enum(['refused', 'failed']),
      mailId: z.string(),
      at: instant,
    }),
    z.strictObject({
      kind: z.literal('renewal_in_progress'),
      account,
      certificate,
      operatorName: z.string(),
      renewalId: z.string(),
      since: instant,
    }),
  ])
  .meta({ id: 'AttentionItem' });
export type AttentionItem = z.output<typeof attentionItem>;

export type AttentionFacts = {
  readonly operatorId: string;
  readonly certificates: readonly ListedCertificate[];
  readonly lastMails: readonly LastMail[];
  /** Open ones of the operator's accounts. */
  readonly renewals: readonly StoredRenewal[];
};

/** What does not sign and could comes first, then what soon will not, then what only has to be known. */
const urgency: Record<AttentionItem['kind'], number> = {
  certificate_lapsed: 0,
  services_suspended: 1,
  nobody_reachable: 2,
  certificate_warned: 3,
  mail_undelivered: 4,
  renewal_in_progress: 5,
};

/** What needs somebody now, most urgent first. Standing is told by the domain's rule, as everywhere. */
export function attentionOf(facts: AttentionFacts, now: Date, policy: Policy): AttentionItem[] {
  const items = [
    ...facts.certificates.flatMap((one) => ofCertificate(one, now, policy)),
    ...ofMails(facts),
    ...ofRenewals(facts, now),
  ];
  return items.sort(
    (a, b) => urgency[a.kind] - urgency[b.kind] || withinKind(a) - withinKind(b) || byName(a, b),
  );
}

function ofCertificate(
  { certificateId, alias, account, grant, used, suspendedServiceCount }: ListedCertificate,
  now: Date,
  policy: Policy,
): AttentionItem[] {
  const standing = standingOf(grant, used, now, policy);
  if (grant === undefined || standing.kind === 'none') return [];
  const about = {
    account: { id: account.accountId, name: account.name },
    certificate: { id: certificateId, alias },
  };
  if (standing.kind === 'lapsed') {
    const since = lapsedSince(grant, standing.reason)?.toISOString() ?? null;
    const { reason } = standing;
    return [{ kind: 'certificate_lapsed', ...about, reason, since, suspendedServiceCount }];
  }
  const items: AttentionItem[] = [];
  if (suspendedServiceCount > 0) {
    items.push({ kind: 'services_suspended', ...about, suspendedServiceCount });
  }
  if (standing.kind === 'warned') {
    const endsAt = forecastOf(grant, used, now, policy).endsAt.toISOString();
    const warnings = [...standing.warnings];
    items.push({ kind: 'certificate_warned', ...about, warnings, endsAt });
  }
  return items;
}

function lapsedSince(
  { endedAt, expiresAt }: NonNullable<ListedCertificate['grant']>,
  reason: LapseReason,
): Date | undefined {
  if (reason === 'allowance_exhausted') return undefined;
  return reason === 'revoked' || reason === 'ended_by_ca' ? endedAt : expiresAt;
}

function ofMails({ lastMails, certificates }: AttentionFacts): AttentionItem[] {
  const aliases = aliasesOf(certificates);
  const items: AttentionItem[] = [];
  const reachable = new Set<string>();
  for (const { account: of, operatorName, mail } of lastMails) {
    const account = { id: of.accountId, name: of.name };
    if (mail?.state !== 'refused') reachable.add(account.id);
    if (mail === undefined || mail.state === 'accepted') continue;
    items.push({
      kind: 'mail_undelivered',
      account,
      certificate: { id: mail.certificateId, alias: aliases.get(mail.certificateId) ?? '' },
      operatorName,
      state: mail.state,
      mailId: mail.mailId,
      at: mail.createdAt.toISOString(),
    });
  }
  const accounts = new Map(lastMails.map(({ account: of }) => [of.accountId, of.name]));
  for (const [id, name] of accounts) {
    if (!reachable.has(id)) items.push({ kind: 'nobody_reachable', account: { id, name } });
  }
  return items;
}

function ofRenewals(
  { renewals, certificates, operatorId }: AttentionFacts,
  now: Date,
): AttentionItem[] {
  const byId = new Map(certificates.map((one) => [one.certificateId, one]));
  return renewals.flatMap((renewal): AttentionItem[] => {
    const of = byId.get(renewal.certificateId);
    const isOver = overdueOutcome(renewal, now) !== undefined;
    if (of === undefined || renewal.operatorId === operatorId || isOver) return [];
    return [
      {
        kind: 'renewal_in_progress',
        account: { id: of.account.accountId, name: of.account.name },
        certificate: { id: of.certificateId, alias: of.alias },
        operatorName: renewal.operatorName,
        renewalId: renewal.renewalId,
        since: renewal.startedAt.toISOString(),
      },
    ];
  });
}

const aliasesOf = (certificates: readonly ListedCertificate[]): ReadonlyMap<string, string> =>
  new Map(certificates.map(({ certificateId, alias }) => [certificateId, alias]));

/** What lapsed or failed last first, what ends soonest first. */
function withinKind(item: AttentionItem): number {
  switch (item.kind) {
    case 'certificate_lapsed':
      return item.since === null ? 0 : -Date.parse(item.since);
    case 'certificate_warned':
      return Date.parse(item.endsAt);
    case 'mail_undelivered':
      return -Date.parse(item.at);
    case 'renewal_in_progress':
      return Date.parse(item.since);
    case 'services_suspended':
      return -item.suspendedServiceCount;
    case 'nobody_reachable':
      return 0;
  }
}

function byName(a: AttentionItem, b: AttentionItem): number {
  const nameOf = (item: AttentionItem) =>
    'certificate' in item ? item.certificate.alias : item.account.name;
  return nameOf(a).localeCompare(nameOf(b));
}
