import type { BindingLimit, NewGrant } from './grant.ts';
import type { Policy } from './policy.ts';

/** Which limit ends a grant in force first, if its signatures go on being used as they were on average since it began. */
export type Forecast = {
  /** Whole seconds; always after `now`. */
  readonly endsAt: Date;
  readonly bindingLimit: BindingLimit;
  /** When the allowance would be used up; undefined while nothing was used. */
  readonly usageLimitAt: Date | undefined;
  /** Rounded down. */
  readonly signaturesPerDay: number;
};

const dayMs = 86_400_000;
/** The last instant that RFC 3339 can write, at the end of the year 9999; slower than that is never. */
const lastMs = 253_402_300_799_000;

/** Of a grant that is in force at `now` with `used` signatures counted. */
export function forecastOf(
  grant: Pick<NewGrant, 'effectiveAt' | 'expiresAt' | 'allowance' | 'endsWithCertificate'>,
  used: number,
  now: Date,
  policy: Policy,
): Forecast {
  const { effectiveAt, expiresAt, allowance } = grant;
  // A grant of this very second: a second is the least that an average can be taken over.
  const elapsedMs = Math.max(1000, now.getTime() - effectiveAt.getTime());
  // Rounded up: no figure shows a limit reached that is not.
  const reachedMs =
    Math.ceil((effectiveAt.getTime() + (elapsedMs / used) * allowance) / 1000) * 1000;
  const usageLimitAt = used > 0 && reachedMs <= lastMs ? new Date(reachedMs) : undefined;
  const byUsage = usageLimitAt !== undefined && usageLimitAt < expiresAt;
  return {
    endsAt: byUsage ? usageLimitAt : expiresAt,
    bindingLimit: byUsage ? usageLimitOf(allowance, policy) : timeLimitOf(grant, policy),
    usageLimitAt,
    signaturesPerDay: Math.floor((used * dayMs) / elapsedMs),
  };
}

/** Whose limit of signatures it is: the regulation's, or the lower one of the CA. */
export function usageLimitOf(allowance: number, policy: Policy): BindingLimit {
  return allowance < policy.allowance ? 'ca' : 'policy_usage';
}

/** Whose limit of time it is. */
export function timeLimitOf(
  grant: Pick<NewGrant, 'effectiveAt' | 'expiresAt' | 'endsWithCertificate'>,
  policy: Policy,
): BindingLimit {
  if (grant.endsWithCertificate) return 'certificate';
  const lastedMs = grant.expiresAt.getTime() - grant.effectiveAt.getTime();
  return lastedMs < policy.grantSeconds * 1000 ? 'ca' : 'policy_time';
}
