import { useId, type ReactNode } from 'react';
import { classNames } from './class-names.ts';
import styles from './card.module.css';

/** A part of a screen with its heading. */
export function Card({
  title,
  aside,
  tone,
  children,
}: {
  readonly title: string;
  /** Beside the heading: a status, a filter, a button. */
  readonly aside?: ReactNode;
  readonly tone?: 'bad';
  readonly children: ReactNode;
}) {
  const titleId = useId();
  return (
    <section
      className={classNames(styles.card, tone && styles[tone])}
      aria-labelledby={titleId}
      // Takes the focus where what had it inside is gone.
      tabIndex={-1}
    >
      <div className={styles.head}>
        <h2 id={titleId}>{title}</h2>
        {aside}
      </div>
      {children}
    </section>
  );
}
