const minuteMs = 60_000;

/** A token bucket: how many calls are left, as of an instant. It fills with the rate up to what one minute allows. */
export type Bucket = { readonly tokens: number; readonly asOf: Date };

export type Admission =
  | { readonly admitted: true; readonly bucket: Bucket }
  /** `retryAfterMs` from now the next call is admitted, if nobody else makes it. */
  | { readonly admitted: false; readonly retryAfterMs: number };

/**
 * Takes one call out of the bucket. Whoever was quiet for a minute may make `perMinute` calls at once; in the long run no more than `perMinute` are admitted
 * each minute. A clock that went back adds nothing.
 */
export function admit(bucket: Bucket | undefined, now: Date, perMinute: number): Admission {
  const { tokens, asOf } = bucket ?? { tokens: perMinute, asOf: now };
  const elapsedMs = Math.max(0, now.getTime() - asOf.getTime());
  const filled = Math.min(perMinute, tokens + (elapsedMs * perMinute) / minuteMs);
  if (filled < 1) {
    return { admitted: false, retryAfterMs: Math.ceil(((1 - filled) * minuteMs) / perMinute) };
  }
  const later = elapsedMs > 0 ? now : asOf;
  return { admitted: true, bucket: { tokens: filled - 1, asOf: later } };
}
