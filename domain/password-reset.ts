import { budgets } from './door-budgets.ts';

/**
 * How long the link to choose a new password is good. Twice the time in which a mail is added to the budget: whoever asks too often to be sent one more has one
 * already that is good for half of it, whoever asked for that.
 */
export const passwordResetSeconds = 2 * budgets.resetMails.secondsEach;
