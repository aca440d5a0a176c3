import { CircleAlert, CircleCheck, Info, TriangleAlert } from 'lucide-react';
import type { ReactNode } from 'react';
import { classNames } from './class-names.ts';
import styles from './notice.module.css';

type NoticeTone = 'info' | 'good' | 'warn' | 'bad';

const iconOf = { info: Info, good: CircleCheck, warn: TriangleAlert, bad: CircleAlert };

/** What happened, in a sentence or two, with the button that leads on. `announce` reads it out when it appears. */
export function Notice({
  tone,
  title,
  children,
  actions,
  announce,
}: {
  readonly tone: NoticeTone;
  readonly title?: string;
  readonly children?: ReactNode;
  readonly actions?: ReactNode;
  readonly announce?: 'alert' | 'status';
}) {
  const Icon = iconOf[tone];
  return (
    <div className={classNames(styles.notice, styles[tone])} role={announce}>
      <Icon size={20} aria-hidden="true" className={styles.icon} />
      <div className={styles.body}>
        {title !== undefined && <p className={styles.title}>{title}</p>}
        {children}
        {actions !== undefined && actions !== false && (
          <div className={styles.actions}>{actions}</div>
        )}
      </div>
    </div>
  );
}
