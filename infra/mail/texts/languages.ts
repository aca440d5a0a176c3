import { en } from './en.ts';
import { ptPt } from './pt-pt.ts';
import type { MailTexts } from './texts.ts';

/** The texts for a BCP 47 tag: Portuguese for any `pt`, English for everything else. */
export function textsFor(locale: string): MailTexts {
  return /^pt\b/i.test(locale) ? ptPt : en;
}
