import type { Instant } from './facts.ts';
import type { LapseReason } from './grant.ts';
import type { RenewalOutcome } from './renewal.ts';

/** Signals to `access-grant/<grantId>`, in the past tense. Each only means "look again"; what they carry is for ops to read. */
export type GrantSignal =
  | { readonly name: 'codeRequested'; readonly payload: { readonly endsAt: Instant } }
  | { readonly name: 'granted'; readonly payload: { readonly expiresAt: Instant } }
  | { readonly name: 'renewalFailed'; readonly payload: { readonly reason: RenewalOutcome } }
  | { readonly name: 'usageReached'; readonly payload: { readonly percent: number } }
  | { readonly name: 'superseded'; readonly payload: { readonly by: string } }
  | { readonly name: 'accountChanged'; readonly payload: Record<string, never> }
  | { readonly name: 'revoked'; readonly payload: { readonly reason: 'revoked' | 'ended_by_ca' } }
  | { readonly name: 'refusalReported'; readonly payload: Record<string, never> }
  /** The renewal was opened or moved on: the workflow starts, or looks again. */
  | { readonly name: 'requested'; readonly payload: Record<string, never> }
  /** Sent by the worker's sweep, when something is overdue. */
  | { readonly name: 'foundOverdue'; readonly payload: Record<string, never> };

export const grantSignalNames = [
  'requested',
  'codeRequested',
  'granted',
  'renewalFailed',
  'usageReached',
  'superseded',
  'accountChanged',
  'revoked',
  'refusalReported',
  'foundOverdue',
] as const satisfies readonly GrantSignal['name'][];

/** The id is made from the thing, so the id is the lock (DESIGN 5). */
export function grantWorkflowId(grantId: string): string {
  return `access-grant/${grantId}`;
}

/** Value of a record on the topic `certificate-access`, key = certificate id. */
export type AccessChange = {
  readonly type: 'granted' | 'lapsed' | 'suspended' | 'activated';
  readonly certificateId: string;
  readonly at: Instant;
  readonly grantId?: string;
  readonly expiresAt?: Instant;
  readonly allowance?: number;
  readonly reason?: LapseReason;
  readonly clientServiceId?: string;
  readonly clientServiceAlias?: string;
};

/** That an operator's password is another one, for the mail that tells of it. */
export type PasswordChange = {
  /** Of the mail: the same however often it is sent. */
  readonly noticeId: string;
  readonly operatorId: string;
  readonly at: Instant;
  /** With the link of a mail, or by who was signed in and told the present one. */
  readonly by: 'mail' | 'present_password';
};
