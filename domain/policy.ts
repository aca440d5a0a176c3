/**
 * The figures of the regulation and of the product, each with its source. They are configuration: a process reads its own from the environment, with
 * the bounds of `policyVariables` and shaped by `policyFrom` (services/shared/policy-config.ts); nothing else in the code repeats them.
 */
export type Policy = {
  /** Time check: an access grant ends this many seconds after it was given. Sign'Stash help, "Renew Access to Certificate Authority". */
  readonly grantSeconds: number;
  /** Usage check: an access grant ends after this many signatures. Same source. */
  readonly allowance: number;
  /** Operators are reminded daily from this many seconds before the time limit. Same source: "one week before". */
  readonly warningSeconds: number;
  /** Operators are warned when strictly more than this percentage of the signatures is used. Same source: "over 90%". */
  readonly usageWarningPercent: number;
  /** A code window is good for this many seconds. Same source: "validity of 2 min". */
  readonly codeWindowSeconds: number;
  /** A renewal not finished after this many seconds is closed (DESIGN 6.1). */
  readonly attemptSeconds: number;
  /** An online OTP is sent again no sooner than this many seconds after the last (DESIGN 6.3). */
  readonly resendCooldownSeconds: number;
  /** Refusals of PIN or OTP that one renewal may take, over all its codes (DESIGN 6.3). */
  readonly tries: number;
  /** A claimed authorization with nothing stored this long after the CA call's own deadline has an unknown outcome (DESIGN 6.3). */
  readonly authorizationGraceSeconds: number;
  /** What is over is revoked at the CA this long afterwards, so that signatures in flight can end (DESIGN 6.4). */
  readonly revocationDelaySeconds: number;
  /** What was owed and did not take effect, such as a mail that the server did not take, is tried again after this long, doubling to an hour (DESIGN 5). */
  readonly retrySeconds: number;
};

export const regulationPolicy: Policy = {
  grantSeconds: 5_184_000,
  allowance: 1_000_000_000,
  warningSeconds: 604_800,
  usageWarningPercent: 90,
  codeWindowSeconds: 120,
  attemptSeconds: 900,
  resendCooldownSeconds: 30,
  tries: 3,
  authorizationGraceSeconds: 30,
  revocationDelaySeconds: 600,
  retrySeconds: 60,
};
