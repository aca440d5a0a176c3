import { regulationPolicy, type Policy } from '../../domain/policy.ts';
import { variable, wholeNumber, type ConfigOf } from './config.ts';

const figure = (description: string, name: keyof Policy, least: number, most: number) =>
  variable(description, wholeNumber(least, most), { default: String(regulationPolicy[name]) });

/**
 * The figures of the policy. What has its source in the regulation (domain/policy.ts) can be made stricter, never looser: limits lower, warnings earlier,
 * the code window shorter.
 */
export const policyVariables = {
  POLICY_GRANT_SECONDS: figure(
    'time check: seconds that an access grant lasts at most',
    'grantSeconds',
    1,
    regulationPolicy.grantSeconds,
  ),
  POLICY_ALLOWANCE: figure(
    'usage check: signatures that an access grant allows at most',
    'allowance',
    1,
    regulationPolicy.allowance,
  ),
  POLICY_WARNING_SECONDS: figure(
    'operators are reminded daily from this many seconds before the time limit',
    'warningSeconds',
    regulationPolicy.warningSeconds,
    regulationPolicy.grantSeconds,
  ),
  POLICY_USAGE_WARNING_PERCENT: figure(
    'operators are warned above this percentage of the signatures',
    'usageWarningPercent',
    1,
    regulationPolicy.usageWarningPercent,
  ),
  POLICY_CODE_WINDOW_SECONDS: figure(
    'seconds that a code window is open',
    'codeWindowSeconds',
    1,
    regulationPolicy.codeWindowSeconds,
  ),
  POLICY_ATTEMPT_SECONDS: figure(
    'seconds after which an unfinished renewal is closed',
    'attemptSeconds',
    1,
    86_400,
  ),
  POLICY_RESEND_COOLDOWN_SECONDS: figure(
    'seconds between two codes sent by the CA',
    'resendCooldownSeconds',
    0,
    600,
  ),
  POLICY_TRIES: figure('refusals of PIN or OTP that a renewal may take', 'tries', 1, 10),
  POLICY_AUTHORIZATION_GRACE_SECONDS: figure(
    'seconds after the deadline of the CA call until its outcome counts as unknown',
    'authorizationGraceSeconds',
    1,
    600,
  ),
  POLICY_REVOCATION_DELAY_SECONDS: figure(
    'seconds until an ended grant is revoked at the CA',
    'revocationDelaySeconds',
    0,
    86_400,
  ),
  POLICY_RETRY_SECONDS: figure(
    'seconds until what is owed and did not take effect (a mail, a revocation) is tried again; doubled each time, to an hour',
    'retrySeconds',
    1,
    3_600,
  ),
};

export const policyFrom = (config: ConfigOf<typeof policyVariables>): Policy => ({
  grantSeconds: config.POLICY_GRANT_SECONDS,
  allowance: config.POLICY_ALLOWANCE,
  warningSeconds: config.POLICY_WARNING_SECONDS,
  usageWarningPercent: config.POLICY_USAGE_WARNING_PERCENT,
  codeWindowSeconds: config.POLICY_CODE_WINDOW_SECONDS,
  attemptSeconds: config.POLICY_ATTEMPT_SECONDS,
  resendCooldownSeconds: config.POLICY_RESEND_COOLDOWN_SECONDS,
  tries: config.POLICY_TRIES,
  authorizationGraceSeconds: config.POLICY_AUTHORIZATION_GRACE_SECONDS,
  revocationDelaySeconds: config.POLICY_REVOCATION_DELAY_SECONDS,
  retrySeconds: config.POLICY_RETRY_SECONDS,
});
