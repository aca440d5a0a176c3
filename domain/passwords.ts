import { budgets } from './door-budgets.ts';

/**
 * How long the link to choose a new password is good. Twice the time in which a mail is added to the budget: whoever asks too often to be sent one more has one
 * already that is good for half of it, whoever asked for that.
 */
export const passwordResetSeconds = 2 * budgets.resetMails.secondsEach;

/** Characters that a password has at least and at most. NIST SP 800-63B, 5.1.1.2, asks for 8 at least and for 64 to be allowed; no kinds of characters are asked for. */
export const leastPasswordLength = 12;
export const mostPasswordLength = 200;
