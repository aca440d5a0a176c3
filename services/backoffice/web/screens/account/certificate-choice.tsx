import { useInfiniteQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import type { ListedCertificate } from '../../api/contract.ts';
import { certificatesQuery } from '../../api/queries.ts';
import { Loaded } from '../../app/loaded.tsx';
import { Button } from '../../design/button.tsx';
import { AnyOf } from '../../design/choice.tsx';
import { TextField } from '../../design/field.tsx';
import { Notice } from '../../design/notice.tsx';
import { useFormats } from '../../language/language.tsx';
import { defineTexts, useTexts } from '../../language/texts.ts';
import { words } from '../../language/words.ts';
import styles from './account.module.css';

const texts = defineTexts({
  en: {
    search: 'Search certificates',
    none: 'This account has no certificates yet.',
    notFound: 'No certificate fits this search.',
    more: 'Show more',
    chosen: (count: number, names: string) =>
      count === 0 ? 'None chosen.' : `${count} chosen: ${names}`,
  },
  'pt-PT': {
    search: 'Procurar certificados',
    none: 'Esta conta ainda não tem certificados.',
    notFound: 'Nenhum certificado corresponde a esta procura.',
    more: 'Mostrar mais',
    chosen: (count: number, names: string) =>
      count === 0
        ? 'Nenhum escolhido.'
        : `${count} ${count === 1 ? 'escolhido' : 'escolhidos'}: ${names}`,
  },
});

export type NamedCertificate = Pick<ListedCertificate, 'id' | 'alias'>;

const typingPauseMs = 250;
/** So many are looked through without searching. */
const few = 8;

/** Some of an account's certificates, by name; what is chosen stays so while others are searched for. */
export function CertificateChoice({
  accountId,
  chosen,
  error,
  onChoose,
}: {
  readonly accountId: string;
  readonly chosen: readonly NamedCertificate[];
  readonly error: string | undefined;
  readonly onChoose: (chosen: readonly NamedCertificate[]) => void;
}) {
  const t = useTexts(texts);
  const w = useTexts(words);
  const formats = useFormats();
  const [typed, setTyped] = useState('');
  const [q, setQ] = useState('');
  useEffect(() => {
    const timer = setTimeout(() => setQ(typed.trim()), typingPauseMs);
    return () => clearTimeout(timer);
  }, [typed]);
  const query = useInfiniteQuery(
    certificatesQuery({ account: accountId, sort: 'alias', ...(q !== '' && { q }) }),
  );

  return (
    <div className={styles.choice}>
      <Loaded query={query}>
        {({ pages }) => {
          const found = pages.flatMap(({ items }) => items);
          const byId = new Map<string, NamedCertificate>(
            [...chosen, ...found].map((certificate) => [certificate.id, certificate]),
          );
          if (found.length === 0 && q === '')
            return (
              <Notice tone="info">
                <p>{t.none}</p>
              </Notice>
            );
          return (
            <>
              {(found.length > few || typed !== '' || q !== '') && (
                <TextField
                  label={t.search}
                  type="search"
                  autoComplete="off"
                  maxLength={200}
                  value={typed}
                  onChange={({ target }) => setTyped(target.value)}
                />
              )}
              {found.length === 0 ? (
                <p role="status">{t.notFound}</p>
              ) : (
                <AnyOf
                  label={w.certificates}
                  error={error}
                  options={found.map(({ id, alias }) => ({ value: id, text: alias }))}
                  chosen={chosen.map(({ id }) => id)}
                  onChoose={(ids) => onChoose(ids.flatMap((id) => byId.get(id) ?? []))}
                />
              )}
              {query.hasNextPage && (
                <Button busy={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
                  {t.more}
                </Button>
              )}
            </>
          );
        }}
      </Loaded>
      <p role="status" className={styles.soft}>
        {t.chosen(chosen.length, formats.list(chosen.map(({ alias }) => alias)))}
      </p>
    </div>
  );
}
