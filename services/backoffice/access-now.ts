import { forecastOf, timeLimitOf, usageLimitOf, type Forecast } from '../../domain/forecast.ts';
import {
  maySign,
  standingOf,
  type BindingLimit,
  type Grant,
  type Standing,
} from '../../domain/grant.ts';
import type { Policy } from '../../domain/policy.ts';

/** A certificate's latest grant as stored. */
export type GrantFacts = {
  readonly grant: Grant | undefined;
  /** The one that was recorded with the grant. */
  readonly bindingLimit: BindingLimit | undefined;
  readonly used: number;
};

/** What those facts amount to at this moment. List and detail tell it from here, so they cannot differ. */
export type AccessNow = {
  readonly standing: Standing;
  /** Only while it may sign. */
  readonly forecast: Forecast | undefined;
  readonly bindingLimit: BindingLimit | undefined;
};

export function accessNow(facts: GrantFacts, now: Date, policy: Policy): AccessNow {
  const { grant, used } = facts;
  const standing = standingOf(grant, used, now, policy);
  const forecast =
    grant !== undefined && maySign(standing) ? forecastOf(grant, used, now, policy) : undefined;
  return { standing, forecast, bindingLimit: bindingLimitOf(facts, standing, forecast, policy) };
}

/** Which rule ends the grant first, or ended it. Before the first signature there is no rate to tell by: then the one that was recorded with the grant. */
function bindingLimitOf(
  { grant, bindingLimit, used }: GrantFacts,
  standing: Standing,
  forecast: Forecast | undefined,
  policy: Policy,
): BindingLimit | undefined {
  if (grant === undefined) return undefined;
  if (forecast === undefined) return limitReached(standing, grant, policy);
  return used === 0 ? bindingLimit : forecast.bindingLimit;
}

/** Which rule it was that ended a lapsed grant; a revoked one was ended by none of them. */
function limitReached(standing: Standing, grant: Grant, policy: Policy): BindingLimit | undefined {
  if (standing.kind !== 'lapsed') return undefined;
  if (standing.reason === 'allowance_exhausted') return usageLimitOf(grant.allowance, policy);
  const byTime = standing.reason === 'grant_expired' || standing.reason === 'certificate_ended';
  return byTime ? timeLimitOf(grant, policy) : undefined;
}
