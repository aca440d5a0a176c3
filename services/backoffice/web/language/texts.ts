import { useLanguage } from './language.tsx';
import type { Language } from './languages.ts';

/** Words in every language. A text that one of them lacks does not compile; those that need a value are functions. */
export type Dictionary<T> = Readonly<Record<Language, T>>;

/** The English texts give the shape; `pt-PT` has to have the same. Kept beside the screen that shows them. */
export function defineTexts<T>(texts: {
  readonly en: T;
  readonly 'pt-PT': NoInfer<T>;
}): Dictionary<T> {
  return texts;
}

export function useTexts<T>(texts: Dictionary<T>): T {
  return texts[useLanguage().language];
}

/** The word for a value, if this page knows it: what a newer server says is passed over rather than shown raw. */
export function wordOf<T>(of: Readonly<Record<string, T>>, value: string): T | undefined {
  return Object.hasOwn(of, value) ? of[value] : undefined;
}
