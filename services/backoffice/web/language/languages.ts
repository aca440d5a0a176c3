export const languages = ['pt-PT', 'en'] as const;
export type Language = (typeof languages)[number];

/** Each in its own words, so that whoever landed in the wrong one finds out. */
export const languageNames: Readonly<Record<Language, string>> = {
  'pt-PT': 'Português',
  en: 'English',
};

/** The language of the product that is nearest to what was asked for (BCP 47 tags, best first). */
export function nearestLanguage(asked: readonly string[]): Language {
  for (const tag of asked) {
    if (/^pt\b/i.test(tag)) return 'pt-PT';
    if (/^en\b/i.test(tag)) return 'en';
  }
  return 'en';
}
