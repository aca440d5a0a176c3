import { Ban, CircleCheck } from 'lucide-react';
import type { ApiKey } from '../../api/contract.ts';
import { useNow } from '../../app/now.tsx';
import { Status } from '../../design/status.tsx';
import { useFormats } from '../../language/language.tsx';
import { defineTexts, useTexts } from '../../language/texts.ts';
import styles from './account.module.css';

const texts = defineTexts({
  en: {
    valid: 'Valid',
    revoked: 'Revoked',
    oldSecret: (until: string) => `Old secret until ${until}`,
    oldUsed: (when: string) => `Old secret last used ${when}`,
    oldUnused: 'Old secret not used',
  },
  'pt-PT': {
    valid: 'Válida',
    revoked: 'Revogada',
    oldSecret: (until: string) => `Segredo antigo até ${until}`,
    oldUsed: (when: string) => `Segredo antigo usado pela última vez ${when}`,
    oldUnused: 'Segredo antigo não usado',
  },
});

/** Whether a key works, and whether a secret that was replaced still does: who sees that nobody uses it any more need not wait for its end. */
export function KeyState({
  apiKey: { revokedAt, oldSecret },
  timeZone,
}: {
  readonly apiKey: ApiKey;
  readonly timeZone: string;
}) {
  const t = useTexts(texts);
  const formats = useFormats();
  const now = useNow();
  if (revokedAt !== null) {
    return (
      <span className={styles.state}>
        <Status tone="still" icon={<Ban size={16} aria-hidden="true" />}>
          {t.revoked}
        </Status>
        <time dateTime={revokedAt} className={styles.soft}>
          {formats.shortInstant(revokedAt, timeZone)}
        </time>
      </span>
    );
  }
  return (
    <span className={styles.state}>
      <Status tone="good" icon={<CircleCheck size={16} aria-hidden="true" />}>
        {t.valid}
      </Status>
      {oldSecret !== null && Date.parse(oldSecret.endsAt) > now && (
        <>
          <span className={styles.soft}>
            {t.oldSecret(formats.shortInstant(oldSecret.endsAt, timeZone))}
          </span>
          <span className={styles.soft}>
            {oldSecret.lastUsedAt === null
              ? t.oldUnused
              : t.oldUsed(formats.relative(oldSecret.lastUsedAt, now))}
          </span>
        </>
      )}
    </span>
  );
}
