import { createHmac, randomInt } from 'node:crypto';
import type { Credential, SentOtp } from './state.ts';

const sentOtpMs = 5 * 60_000;
const generatorStepMs = 60_000;

/** A six-digit code as sent to a phone; good for five minutes and one use. */
export function newSentOtp(now: Date): SentOtp {
  return {
    value: randomInt(1_000_000).toString().padStart(6, '0'),
    sentAt: now.toISOString(),
    expiresAt: new Date(now.getTime() + sentOtpMs).toISOString(),
    used: false,
  };
}

/** What the holder's code generator shows now (offline OTP); a new code each minute. */
export function generatorOtp(credential: Credential, now: Date, stepsBack = 0): string {
  const step = Math.floor(now.getTime() / generatorStepMs) - stepsBack;
  const digest = createHmac('sha256', credential.generatorKey).update(step.toString()).digest();
  return (digest.readUInt32BE(0) % 1_000_000).toString().padStart(6, '0');
}

/** Whether `otp` is right now. A sent code is used up by being tried, right or wrong. */
export function takeOtp(credential: Credential, otp: string, now: Date): boolean {
  if (credential.otp?.type !== 'online') {
    return [0, 1, 2, 3, 4].some((back) => generatorOtp(credential, now, back) === otp);
  }
  const sent = credential.sentOtp;
  if (sent === undefined || sent.used) return false;
  sent.used = true;
  return sent.value === otp && now < new Date(sent.expiresAt);
}
