import { useQuery } from '@tanstack/react-query';
import { Bell as BellIcon } from 'lucide-react';
import { useRef } from 'react';
import { attentionQuery } from '../api/queries.ts';
import { defineTexts, useTexts } from '../language/texts.ts';
import { AttentionList } from '../screens/attention/attention-list.tsx';
import styles from './shell.module.css';

const texts = defineTexts({
  en: {
    title: 'Needs attention',
    label: (count: number) =>
      count === 0 ? 'Needs attention: nothing' : `Needs attention: ${count}`,
  },
  'pt-PT': {
    title: 'Precisa de atenção',
    label: (count: number) =>
      count === 0 ? 'Precisa de atenção: nada' : `Precisa de atenção: ${count}`,
  },
});

const most = 99;

/** What needs somebody now, over all one's accounts, from every screen. */
export function Bell() {
  const t = useTexts(texts);
  const attention = useQuery(attentionQuery);
  const panel = useRef<HTMLDivElement>(null);
  const total = attention.data?.total ?? 0;
  return (
    <>
      <button
        type="button"
        className={styles.tool}
        popoverTarget="attention"
        aria-label={t.label(total)}
      >
        <BellIcon size={21} aria-hidden="true" />
        {total > 0 && (
          <span className={styles.count} aria-hidden="true">
            {total > most ? `${most}+` : total}
          </span>
        )}
      </button>
      <div
        ref={panel}
        id="attention"
        popover="auto"
        className={styles.menu}
        aria-label={t.title}
        role="region"
      >
        <h2>{t.title}</h2>
        <AttentionList query={attention} onGo={() => panel.current?.hidePopover()} />
      </div>
    </>
  );
}
