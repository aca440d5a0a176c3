/**
 * Everything that can be refused, with the sentence a person reads and what to do next. The code is stable: API, logs, audit and screens share it.
 * Which HTTP status a code gets is told in services/shared/http-status.ts.
 */
export const problems = {
  invalid_request: [
    'The request is not valid.',
    'Correct what is named in "faults" and send it again.',
  ],
  unsupported_media_type: ['Only JSON is accepted here.', 'Send the body as application/json.'],
  headers_too_large: [
    'The address or the headers of the request are too large.',
    'Send less in one request.',
  ],
  request_timeout: [
    'The request did not arrive in time. Nothing was done.',
    'Send it again, all at once.',
  ],
  body_too_large: ['The request is too large.', 'Send less in one request.'],
  cross_site_request: [
    'This request came from another site and was not carried out.',
    'Open the backoffice itself and try again.',
  ],
  session_required: [
    'You are not signed in, or your session has ended.',
    'Sign in and go on where you were.',
  ],
  sign_in_refused: [
    'The e-mail address and the password do not match.',
    'Check both and try again, or choose a new password: "Forgot your password?"',
  ],
  role_required: [
    'Your role in this account does not allow this.',
    'Ask an administrator of the account.',
  ],
  last_admin: [
    'The account would be left without an administrator. Nothing was changed.',
    'Make somebody else an administrator first.',
  ],
  invitation_ended: [
    'This invitation was used, replaced or has ended.',
    'Ask an administrator of the account for a new one, or sign in if you have a password.',
  ],
  invitation_not_needed: [
    'This operator has a password already.',
    'They sign in with their e-mail address and that password.',
  ],
  password_reset_ended: [
    'This link to choose a new password was used or has ended. The password is as it was before.',
    'Ask for a new link with "Forgot your password?" on the sign-in.',
  ],
  present_password_wrong: [
    'The present password is not right. The password is as it was before.',
    'Type the password that you sign in with now.',
  ],
  not_found: [
    'There is nothing here that you can see.',
    'Check the address, or go back to the list.',
  ],
  method_not_allowed: ['This cannot be done here.', 'See /openapi.json for what can.'],
  too_many_requests: [
    'Too many requests in a short time.',
    'Wait as long as Retry-After says, then try again.',
  ],
  certificate_ended: [
    'The certificate itself has ended, so its access cannot be renewed.',
    'Replace the certificate with a new one.',
  ],
  renewal_already_open: [
    'A colleague is already renewing the access to this certificate.',
    'Wait for your colleague, or take the renewal over.',
  ],
  renewal_authorizing: [
    'The CA is being asked at this moment.',
    'Wait a few seconds and look again.',
  ],
  renewal_not_yours: [
    'This renewal was started by somebody else.',
    'Sign in as that operator, or take the renewal over from the certificate.',
  ],
  renewal_ended: [
    'This renewal is over.',
    'Look at its outcome, and start again from the certificate if need be.',
  ],
  renewal_not_awaiting_code: [
    'This renewal does not wait for a PIN or a code now.',
    'Look at the state of the renewal.',
  ],
  code_window_closed: [
    'The two minutes for this code are over. The CA was not asked.',
    'Ask for a new code.',
  ],
  resend_too_soon: [
    'A code was sent a moment ago.',
    'Use the newest code, or wait before asking for another.',
  ],
  factor_missing: ['The CA asks for more than was typed.', 'Fill in every field that is required.'],
  factor_rejected: [
    'The CA did not accept the PIN or the code. The access is as it was before.',
    'Check the PIN and use the newest code.',
  ],
  factor_locked: [
    'The CA has locked the PIN or the code of this certificate. The access is as it was before.',
    'Unlock it with the CA, then start the renewal again.',
  ],
  ca_unreachable: [
    'The CA cannot be reached now. Nothing was changed.',
    'Try again in a few minutes.',
  ],
  ca_refused: [
    'The CA refused. The access is as it was before.',
    'Start the renewal again; if it is refused again, ask the CA.',
  ],
  ca_misconfigured: [
    'The CA does not accept this platform as a client. Nothing was changed.',
    'Tell the platform engineers.',
  ],
  ca_session_ended: [
    'The session at the CA has ended. The access is as it was before.',
    'Start the renewal again.',
  ],
  outcome_unknown: [
    'The CA was asked, but its answer did not arrive, so it is not known whether it accepted. The access recorded here is as it was before.',
    'Start the renewal again.',
  ],
  access_blocked: [
    'The certificate may not sign now, so no service can be activated on it.',
    'Renew the access first, then activate the services.',
  ],
  client_service_inactive: [
    'The client service is not active.',
    'Activate it on the certificate, or sign with another service.',
  ],
  client_service_suspended: [
    'The client service was suspended because the access to the certificate ended.',
    'Renew the access, then activate the service by hand.',
  ],
  no_grant: ['There is no access grant to act on.', 'Renew the access first.'],
  may_not_sign: [
    'The certificate may not sign now.',
    'See "reason"; an operator has to renew the access.',
  ],
  api_key_refused: [
    'The API key is missing, unknown or revoked.',
    'Send a valid key as "Authorization: Bearer <key>".',
  ],
  picture_stale: [
    'The gate does not know the present state and therefore gives no permission.',
    'Try again in a few seconds.',
  ],
  already_exists: [
    'There is one with this name already.',
    'Choose another name, or use the one that exists.',
  ],
  unavailable: [
    'The service cannot answer now. Nothing was changed.',
    'Try again in a few seconds.',
  ],
  internal: [
    'Something went wrong on our side.',
    'Try again; if it happens again, tell the platform engineers the reference id.',
  ],
} as const satisfies Record<string, readonly [sentence: string, whatToDo: string]>;

export type ProblemCode = keyof typeof problems;

/** What else a problem says, beside code and sentence; plain JSON, never a secret. */
export type ProblemDetails = Readonly<Record<string, unknown>>;

/** The one error that the product throws on purpose; whatever else is thrown is a fault of ours and answers `internal`. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly code: ProblemCode;
  readonly details: ProblemDetails;

  constructor(code: ProblemCode, details: ProblemDetails = {}, options?: { cause?: unknown }) {
    super(problems[code][0], options);
    this.code = code;
    this.details = details;
  }

  get whatToDo(): string {
    return problems[this.code][1];
  }
}
