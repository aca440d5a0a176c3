import { takeOtp } from './otp.ts';
import { Refusal } from './refusal.ts';
import { hashOf, newSecret, type Consent, type Credential, type SimulatorState } from './state.ts';
import type { Switches } from './switches.ts';

interface AuthorizationAsked {
  readonly numSignatures: unknown;
  readonly pin: unknown;
  readonly otp: unknown;
}

export interface AuthorizationContext {
  readonly state: SimulatorState;
  readonly consent: Consent;
  readonly switches: Switches;
  readonly lockAfterTries: number;
  readonly now: Date;
}

/** The most signatures one authorization may ask for: the consent's limit, or the credential's if lower. */
export const multisignOf = (credential: Credential, consent: Consent): number =>
  Math.min(consent.multisign, credential.multisign ?? Number.MAX_SAFE_INTEGER);

/**
 * Authorizes a credential (csc.md 3.4): checks key, count and factors, and makes a SAD for the
 * lifetime of the consent. A wrong factor counts towards its lock. Throws `Refusal`.
 */
export function authorizeCredential(
  credential: Credential,
  asked: AuthorizationAsked,
  context: AuthorizationContext,
): { sad: string; expiresIn: number } {
  if (credential.authMode === 'oauth2code') {
    throw new Refusal('The credential is authorized with OAuth 2.0', 'unauthorized_client');
  }
  if (credential.keyStatus === 'disabled') {
    throw new Refusal('The credential identified by credentialID is disabled');
  }
  if (credential.certificateStatus !== 'valid') throw new Refusal('Invalid certificate status');
  const count = checkCount(asked.numSignatures, multisignOf(credential, context.consent));
  if (credential.authMode === 'explicit') checkFactors(credential, asked, context);
  return newSad(credential, count, context);
}

function checkCount(value: unknown, most: number): number {
  const count = typeof value === 'string' && /^-?\d+$/.test(value) ? Number(value) : value;
  if (typeof count !== 'number' || !Number.isInteger(count)) {
    throw new Refusal('Missing (or invalid type) integer parameter numSignatures');
  }
  if (count < 1) throw new Refusal('Invalid value for parameter numSignatures');
  if (count > most) throw new Refusal('Numbers of signatures is too high');
  return count;
}

function checkFactors(
  credential: Credential,
  { pin, otp }: AuthorizationAsked,
  { lockAfterTries, now }: AuthorizationContext,
): void {
  const pinAsked = checkPresence('PIN', credential.pin?.presence, pin);
  const otpAsked = checkPresence('OTP', credential.otp?.presence, otp);
  if (pinAsked && credential.pinLocked) throw new Refusal('PIN locked');
  if (otpAsked && credential.otpLocked) throw new Refusal('OTP locked');
  // Both are tried, so that a wrong PIN uses up the OTP as well.
  const otpRight = !otpAsked || takeOtp(credential, String(otp), now);
  const pinRight = !pinAsked || pin === credential.pin?.value;
  if (!pinRight) {
    credential.wrongPinCount += 1;
    credential.pinLocked = credential.wrongPinCount >= lockAfterTries;
    throw new Refusal('The PIN is invalid', 'invalid_pin');
  }
  credential.wrongPinCount = 0;
  if (!otpRight) {
    credential.wrongOtpCount += 1;
    credential.otpLocked = credential.wrongOtpCount >= lockAfterTries;
    throw new Refusal('The OTP is invalid', 'invalid_otp');
  }
  credential.wrongOtpCount = 0;
}

/** Whether the factor was given and is to be checked. */
function checkPresence(name: string, presence = 'false', value: unknown): boolean {
  if (value === undefined && presence !== 'true') return false;
  if (presence === 'false') throw new Refusal(`Unexpected parameter ${name}`);
  if (typeof value !== 'string') {
    throw new Refusal(`Missing (or invalid type) string parameter ${name}`);
  }
  return true;
}

function newSad(
  credential: Credential,
  numSignatures: number,
  { state, consent, switches, now }: AuthorizationContext,
): { sad: string; expiresIn: number } {
  const { credentialID } = credential;
  if (switches.newGrantKillsOld === true) revokeSadsOf(state, credentialID);
  const sad = newSecret();
  state.kept.sads[hashOf(sad)] = {
    credentialID,
    numSignatures,
    remaining: numSignatures,
    expiresAt: new Date(now.getTime() + consent.lifetimeSeconds * 1000).toISOString(),
    revoked: false,
    spent: false,
  };
  return { sad, expiresIn: consent.lifetimeSeconds };
}

/** Ends every authorization of a credential. */
export function revokeSadsOf(state: SimulatorState, credentialID: string): void {
  for (const sad of Object.values(state.kept.sads)) {
    if (sad.credentialID === credentialID) sad.revoked = true;
  }
}
