const hourMs = 3_600_000;

/** Hours for which the secret that a rotation replaces goes on working, unless others are chosen. */
export const defaultOverlapHours = 24;
/** A secret that is replaced because it may be known to others has to end; a week is enough to reach everybody who uses it. */
export const mostOverlapHours = 168;

/** What a key may be used for. */
export type ApiKeyScope = {
  readonly accountId: string;
  /** Undefined: all certificates of the account, those added later too. */
  readonly certificateIds: ReadonlySet<string> | undefined;
};

/** When the secret that is replaced now ends. With 0 hours it has ended already. */
export function oldSecretEnd(now: Date, overlapHours: number): Date {
  return new Date(now.getTime() + overlapHours * hourMs);
}

/** A replaced secret is good until, and not including, its end; the newest one has none. */
export function isSecretGood(endsAt: Date | undefined, now: Date): boolean {
  return endsAt === undefined || now < endsAt;
}

/** Whether the certificate exists as far as the key's holder is concerned. */
export function isInScope(
  { accountId, certificateIds }: ApiKeyScope,
  certificate: { readonly certificateId: string; readonly accountId: string },
): boolean {
  return (
    certificate.accountId === accountId && (certificateIds?.has(certificate.certificateId) ?? true)
  );
}
