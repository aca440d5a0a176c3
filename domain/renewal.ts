/** One attempt at a new grant, from the click on Renew to its outcome (DESIGN 6). */
export const openRenewalStates = ['at_ca', 'awaiting_code', 'authorizing'] as const;
export const endedRenewalStates = [
  'granted',
  'refused',
  'abandoned',
  'timed_out',
  'outcome_unknown',
] as const;

export type OpenRenewalState = (typeof openRenewalStates)[number];
export type EndedRenewalState = (typeof endedRenewalStates)[number];
export type RenewalState = OpenRenewalState | EndedRenewalState;

export function isOpen(state: RenewalState): state is OpenRenewalState {
  return (openRenewalStates as readonly RenewalState[]).includes(state);
}

/** PIN or OTP: what the CA asks for before it authorises a credential. */
export type FactorName = 'pin' | 'otp';

/** A factor as the CA describes it; label and description are the CA's words and are shown as text. */
export type Factor = {
  readonly name: FactorName;
  readonly label: string;
  readonly description?: string | undefined;
  /** False when the CA takes it but does not insist on it (CSC presence "optional"). */
  readonly required: boolean;
  /** True when the CA has to be asked to send it (CSC OTP type "online"). */
  readonly online: boolean;
  /** True when it is made of digits only: a hint for the keyboard, never a check. */
  readonly numeric: boolean;
};

/** Why a renewal ended as it did, with the sentence for people and what to do next. */
export const renewalOutcomes = {
  granted: [
    'The access was renewed.',
    'Activate client services that were suspended, if there are any.',
  ],
  consent_denied: [
    'The permission was not given on the pages of the CA. The access is as it was before.',
    'Start again when you want to give it.',
  ],
  wrong_ca_account: [
    'The client account used at the CA does not hold this certificate. The access is as it was before.',
    'Start again and sign in at the CA with the account of this certificate.',
  ],
  certificate_unusable: [
    'The CA says that this certificate cannot be used. The access is as it was before.',
    'Ask the CA about the certificate.',
  ],
  ca_unreachable: [
    'The CA could not be reached after you came back from it. The access is as it was before.',
    'Start again in a few minutes.',
  ],
  ca_refused: [
    'The CA refused the renewal. The access is as it was before.',
    'Start again; if it is refused again, ask the CA.',
  ],
  ca_misconfigured: [
    'The CA does not accept this platform as a client. The access is as it was before.',
    'Tell the platform engineers.',
  ],
  ca_session_ended: [
    'The session at the CA ended before the renewal was done. The access is as it was before.',
    'Start again.',
  ],
  factor_locked: [
    'The CA has locked the PIN or the code of this certificate. The access is as it was before.',
    'Unlock it with the CA, then start again.',
  ],
  tries_used_up: [
    'The PIN or the code was refused too often. The access is as it was before.',
    'Check the PIN, then start again.',
  ],
  operator_not_allowed: [
    'The operator who started this renewal may not renew any more. The access is as it was before.',
    'Let an operator of the account start again.',
  ],
  abandoned: [
    'The renewal was abandoned. The access is as it was before.',
    'Start again when you want to.',
  ],
  replaced: [
    'The same operator started a newer renewal. The access is as it was before.',
    'Go on with the newer one.',
  ],
  taken_over: [
    'A colleague took the renewal over. The access is as it was before.',
    "Look at your colleague's renewal.",
  ],
  deadline_passed: [
    'The renewal was not finished in time. The access is as it was before.',
    'Start again.',
  ],
  certificate_ended: [
    'The certificate itself ended before the renewal was done.',
    'Replace the certificate with a new one.',
  ],
  answer_lost: [
    'The CA was asked, but its answer did not arrive, so it is not known whether it accepted. The access recorded here is as it was before.',
    'Start again.',
  ],
} as const satisfies Record<string, readonly [sentence: string, whatToDo: string]>;

export type RenewalOutcome = keyof typeof renewalOutcomes;

/** Each outcome belongs to one final state. */
export const stateOfOutcome = {
  granted: 'granted',
  consent_denied: 'refused',
  wrong_ca_account: 'refused',
  certificate_unusable: 'refused',
  ca_unreachable: 'refused',
  ca_refused: 'refused',
  ca_misconfigured: 'refused',
  ca_session_ended: 'refused',
  factor_locked: 'refused',
  tries_used_up: 'refused',
  operator_not_allowed: 'refused',
  certificate_ended: 'refused',
  abandoned: 'abandoned',
  replaced: 'abandoned',
  taken_over: 'abandoned',
  deadline_passed: 'timed_out',
  answer_lost: 'outcome_unknown',
} as const satisfies Record<RenewalOutcome, EndedRenewalState>;

/** Something that happened to a renewal without ending it; shown beside its state. */
export const renewalNotices = {
  callback_from_another_browser:
    'The CA sent another browser back than the one that started this renewal; nothing was done with it. Go on in the browser where you pressed Renew.',
  code_not_sent: 'The CA did not send the code. Ask for a new one.',
} as const;

export type RenewalNotice = keyof typeof renewalNotices;
