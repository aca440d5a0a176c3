/**
 * How often what needs no session may be tried. A try is paid before it is known what comes of it, so that many at once cannot slip through; `afterSuccess` says
 * what a right one gets back.
 */
export type Budget = {
  /** So many tries at once, */
  readonly atOnce: number;
  /** and one more each time that these seconds have passed. */
  readonly secondsEach: number;
  /** Whether the tries before a right one stay paid, or are forgotten with it. */
  readonly afterSuccess: 'give_back' | 'begin_anew';
};

/**
 * OWASP ASVS 4.0.3, 2.2.1: no more than 100 failed attempts an hour on a single account; here 20. What strangers pay from is never what the rightful operator
 * pays from (docs/decisions/0007-sign-in-throttle.md).
 */
export const budgets = {
  /** Of one network, over all doors. Who has a sign-in of his own must not win tries by using it, so a right try only takes itself back. */
  network: { atOnce: 50, secondsEach: 60, afterSuccess: 'give_back' },
  /** Of all browsers together that are not known, to sign in with one address. */
  unknownBrowsers: { atOnce: 10, secondsEach: 360, afterSuccess: 'give_back' },
  /** Of one browser that has signed in as this operator before. */
  knownBrowser: { atOnce: 10, secondsEach: 360, afterSuccess: 'begin_anew' },
  /** Of one operator who is signed in, to tell the present password. */
  presentPassword: { atOnce: 10, secondsEach: 360, afterSuccess: 'begin_anew' },
  /** Mails with a link to choose a new password, to one operator. */
  resetMails: { atOnce: 3, secondsEach: 1_800, afterSuccess: 'give_back' },
} as const satisfies Readonly<Record<string, Budget>>;

export type BudgetName = keyof typeof budgets;

/**
 * NIST SP 800-63B, 5.2.2: no more than 100 failed attempts in a row on a single account. After so many from browsers that are not known, the password alone opens
 * nothing there until it was right in a known one, or a new one was chosen by mail.
 */
export const mostFailuresInARow = 100;

/** A budget is kept as the instant at which all of it is there again; a try moves that on by `secondsEach`. This is the latest one that still leaves a try. */
export const lastFreeAt = ({ atOnce, secondsEach }: Budget, now: Date): Date =>
  new Date(now.getTime() + (atOnce - 1) * secondsEach * 1000);

/** Whole seconds until there is a try again; 0 when there is one. */
export const secondsUntilTry = (budget: Budget, freeAt: Date, now: Date): number =>
  Math.max(0, Math.ceil((freeAt.getTime() - lastFreeAt(budget, now).getTime()) / 1000));
