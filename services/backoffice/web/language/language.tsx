import { createContext, use, useEffect, useMemo, type ReactNode } from 'react';
import { createFormats, type Formats } from './formats.ts';
import type { Language } from './languages.ts';

type Spoken = { readonly language: Language; readonly formats: Formats };

const LanguageContext = createContext<Spoken | undefined>(undefined);

/** What is inside is told in this language. */
export function LanguageProvider({
  language,
  children,
}: {
  readonly language: Language;
  readonly children: ReactNode;
}) {
  useEffect(() => {
    document.documentElement.lang = language;
  }, [language]);
  const spoken = useMemo(() => ({ language, formats: createFormats(language) }), [language]);
  return <LanguageContext value={spoken}>{children}</LanguageContext>;
}

export function useLanguage(): Spoken {
  const spoken = use(LanguageContext);
  if (spoken === undefined) throw new Error('no LanguageProvider around this');
  return spoken;
}

export const useFormats = (): Formats => useLanguage().formats;
