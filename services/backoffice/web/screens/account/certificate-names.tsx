import { useQueries } from '@tanstack/react-query';
import { useState } from 'react';
import { Link } from 'wouter';
import { certificateQuery } from '../../api/queries.ts';
import { Button } from '../../design/button.tsx';
import { useFormats } from '../../language/language.tsx';
import { defineTexts, useTexts } from '../../language/texts.ts';
import { certificatePath } from '../certificate/paths.ts';
import styles from './account.module.css';

const texts = defineTexts({
  en: {
    more: (count: string) => `and ${count} more`,
    reading: '…',
    unknown: 'name not available',
  },
  'pt-PT': {
    more: (count: string) => `e mais ${count}`,
    reading: '…',
    unknown: 'nome não disponível',
  },
});

const few = 3;

/** Certificates by name, each leading to its page: the first few, and the others when asked for. */
export function CertificateNames({
  certificateIds,
}: {
  readonly certificateIds: readonly string[];
}) {
  const t = useTexts(texts);
  const formats = useFormats();
  const [isWhole, setWhole] = useState(false);
  const shown = isWhole ? certificateIds : certificateIds.slice(0, few);
  const certificates = useQueries({
    queries: shown.map((certificateId) => ({
      ...certificateQuery(certificateId),
      staleTime: 5 * 60_000,
    })),
  });
  const hidden = certificateIds.length - shown.length;
  return (
    <ul className={styles.names}>
      {certificates.map(({ data, error }, place) => (
        <li key={shown[place]}>
          {data === undefined ? (
            <span className={styles.soft}>{error === null ? t.reading : t.unknown}</span>
          ) : (
            <Link href={certificatePath(data.id)}>{data.alias}</Link>
          )}
        </li>
      ))}
      {hidden > 0 && (
        <li>
          <Button small look="quiet" onClick={() => setWhole(true)}>
            {t.more(formats.number(hidden))}
          </Button>
        </li>
      )}
    </ul>
  );
}
