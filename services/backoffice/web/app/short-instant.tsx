import { useFormats } from '../language/language.tsx';
import { useNow } from './now.tsx';
import styles from './short-instant.module.css';

/** An instant where the zone is named beside it already, and how far off it is below. */
export function ShortInstant({ at, timeZone }: { readonly at: string; readonly timeZone: string }) {
  const formats = useFormats();
  const now = useNow();
  return (
    <>
      <time dateTime={at} title={timeZone} className={styles.instant}>
        {formats.shortInstant(at, timeZone)}
      </time>
      <span className={styles.relative}>{formats.relative(at, now)}</span>
    </>
  );
}
