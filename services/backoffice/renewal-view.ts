import { z } from 'zod';
import type { StoredGrant } from '../../infra/postgres/grants.ts';
import type { StoredRenewal } from '../../infra/postgres/renewals.ts';
import {
  endedRenewalStates,
  openRenewalStates,
  renewalNotices,
  renewalOutcomes,
} from '../../domain/renewal.ts';
import type { Policy } from '../../domain/policy.ts';

export const instant = z.iso.datetime();
export const bindingLimit = z.enum(['policy_time', 'policy_usage', 'ca', 'certificate']);
export const renewalStates = [...openRenewalStates, ...endedRenewalStates] as const;

export const grantView = z
  .strictObject({
    id: z.string(),
    effectiveAt: instant,
    expiresAt: instant,
    allowance: z.int(),
    bindingLimit,
    /** True when the CA gave less time or fewer signatures than the regulation allows. */
    shorterThanAllowed: z.boolean(),
  })
  .meta({ id: 'Grant' });

export const renewalView = z
  .strictObject({
    id: z.string(),
    certificateId: z.string(),
    certificate: z.strictObject({ id: z.string(), alias: z.string() }),
    account: z.strictObject({ id: z.string(), name: z.string(), timeZone: z.string() }),
    operator: z.strictObject({ id: z.string(), name: z.string() }),
    isYours: z.boolean(),
    state: z.enum(renewalStates),
    startedAt: instant,
    deadline: instant,
    factors: z.array(
      z.strictObject({
        name: z.enum(['pin', 'otp']),
        label: z.string(),
        description: z.string().nullable(),
        required: z.boolean(),
        online: z.boolean(),
        numeric: z.boolean(),
      }),
    ),
    codeWindowEndsAt: instant.nullable(),
    resendAllowedAt: instant.nullable(),
    serverNow: instant,
    triesLeft: z.int(),
    notice: z.strictObject({ code: z.string(), message: z.string() }).nullable(),
    outcome: z
      .strictObject({
        code: z.string(),
        message: z.string(),
        whatToDo: z.string(),
        endedAt: instant,
        grant: grantView.nullable(),
      })
      .nullable(),
  })
  .meta({ id: 'Renewal' });

export type RenewalView = z.output<typeof renewalView>;
export type GrantView = z.output<typeof grantView>;

export function presentGrant(
  { grantId, grant, bindingLimit }: StoredGrant,
  policy: Policy,
): GrantView {
  const lastsMs = grant.expiresAt.getTime() - grant.effectiveAt.getTime();
  return {
    id: grantId,
    effectiveAt: grant.effectiveAt.toISOString(),
    expiresAt: grant.expiresAt.toISOString(),
    allowance: grant.allowance,
    bindingLimit,
    shorterThanAllowed: lastsMs < policy.grantSeconds * 1000 || grant.allowance < policy.allowance,
  };
}

/** `grant` is what the renewal obtained, if it did. A window that is over is not shown, though nobody has closed it yet. */
export function presentRenewal(
  renewal: StoredRenewal,
  grant: StoredGrant | undefined,
  viewerId: string,
  now: Date,
  policy: Policy,
): RenewalView {
  const { codeWindowEndsAt, resendAllowedAt, notice } = renewal;
  const isWindowOpen = codeWindowEndsAt !== undefined && codeWindowEndsAt > now;
  const waits = renewal.state === 'awaiting_code';
  return {
    id: renewal.renewalId,
    certificateId: renewal.certificateId,
    certificate: { id: renewal.certificateId, alias: renewal.certificateAlias },
    account: {
      id: renewal.accountId,
      name: renewal.accountName,
      timeZone: renewal.accountTimeZone,
    },
    operator: { id: renewal.operatorId, name: renewal.operatorName },
    isYours: renewal.operatorId === viewerId,
    state: renewal.state,
    startedAt: renewal.startedAt.toISOString(),
    deadline: renewal.deadlineAt.toISOString(),
    factors: (renewal.factors ?? []).map(
      ({ name, label, description, required, online, numeric }) => ({
        name,
        label,
        description: description ?? null,
        required,
        online,
        numeric,
      }),
    ),
    codeWindowEndsAt: isWindowOpen ? codeWindowEndsAt.toISOString() : null,
    resendAllowedAt: waits ? (resendAllowedAt?.toISOString() ?? null) : null,
    serverNow: now.toISOString(),
    triesLeft: renewal.triesLeft,
    notice: notice === undefined ? null : { code: notice, message: renewalNotices[notice] },
    outcome: presentOutcome(renewal, grant, policy),
  };
}

function presentOutcome(
  { outcome, endedAt }: StoredRenewal,
  grant: StoredGrant | undefined,
  policy: Policy,
): RenewalView['outcome'] {
  if (outcome === undefined || endedAt === undefined) return null;
  const [message, whatToDo] = renewalOutcomes[outcome];
  const obtained = grant && presentGrant(grant, policy);
  return {
    code: outcome,
    message: obtained ? [message, ...shorterSentence(obtained)].join(' ') : message,
    whatToDo,
    endedAt: endedAt.toISOString(),
    grant: obtained ?? null,
  };
}

/** "A CA may authorise for less": then it is said (DESIGN 6.5). */
function shorterSentence({ shorterThanAllowed, bindingLimit, ...grant }: GrantView): string[] {
  if (!shorterThanAllowed) return [];
  const until = `until ${grant.expiresAt}, for ${grant.allowance} signatures`;
  return bindingLimit === 'certificate'
    ? [`It holds only ${until}, because the certificate itself ends then.`]
    : [`The CA authorised only ${until}.`];
}
