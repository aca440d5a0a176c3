/** How long the link of an invitation is good. */
export const invitationSeconds = 604_800;
/** An invitation is sent again no sooner than this many seconds after the last. */
const cooldownSeconds = 30;

export type InvitationState = 'waiting' | 'sent' | 'refused' | 'ended';

export type InvitationFacts = {
  readonly expiresAt: Date;
  /** When the mail relay took the mail. */
  readonly sentAt: Date | undefined;
  /** When the mail relay refused the address for good. */
  readonly refusedAt: Date | undefined;
  /** Used, replaced or withdrawn. */
  readonly endedAt: Date | undefined;
};

/** The link is good until, and not including, `expiresAt`. */
export function invitationState(
  { expiresAt, sentAt, refusedAt, endedAt }: InvitationFacts,
  now: Date,
): InvitationState {
  if (endedAt !== undefined || now >= expiresAt) return 'ended';
  if (refusedAt !== undefined) return 'refused';
  return sentAt === undefined ? 'waiting' : 'sent';
}

/** Seconds until another one may be sent; 0 when it may be now. */
export function invitationCooldown(lastAt: Date, now: Date): number {
  const left = lastAt.getTime() + cooldownSeconds * 1000 - now.getTime();
  return Math.max(0, Math.ceil(left / 1000));
}
