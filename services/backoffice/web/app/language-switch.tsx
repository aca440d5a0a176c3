import { useMutation, useQueryClient } from '@tanstack/react-query';
import { call } from '../api/client.ts';
import type { WhoAmI } from '../api/contract.ts';
import { keys } from '../api/queries.ts';
import { useLanguage } from '../language/language.tsx';
import { languageNames, languages, type Language } from '../language/languages.ts';
import { FaultNotice } from './fault.tsx';
import styles from './language-switch.module.css';

/** The language of whoever is signed in: kept with the operator, whose mails follow it. */
export function LanguageSwitch() {
  const client = useQueryClient();
  const change = useMutation({
    mutationFn: (locale: Language) => call<WhoAmI>('PATCH', '/api/me', { body: { locale } }),
    async onSuccess(who) {
      // A read from before would bring the old language back.
      await client.cancelQueries({ queryKey: keys.session });
      client.setQueryData(keys.session, who);
    },
  });
  return (
    <>
      <LanguageButtons onChoose={(language) => change.mutate(language)} />
      {change.error !== null && <FaultNotice error={change.error} />}
    </>
  );
}

export function LanguageButtons({ onChoose }: { readonly onChoose: (language: Language) => void }) {
  const { language: spoken } = useLanguage();
  return (
    <div role="group" aria-label="Idioma / Language" className={styles.languages}>
      {languages.map((language) => (
        <button
          key={language}
          type="button"
          lang={language}
          aria-pressed={language === spoken}
          className={styles.language}
          onClick={() => {
            onChoose(language);
          }}
        >
          {languageNames[language]}
        </button>
      ))}
    </div>
  );
}
