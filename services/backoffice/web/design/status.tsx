import type { ReactNode } from 'react';
import { classNames } from './class-names.ts';
import styles from './status.module.css';

export type Tone = 'good' | 'warn' | 'bad' | 'still' | 'accent';

/** Always icon and word: colour only hastens the eye (WCAG 1.4.1). */
export function Status({
  tone,
  icon,
  children,
}: {
  readonly tone: Tone;
  readonly icon: ReactNode;
  readonly children: ReactNode;
}) {
  return (
    <span className={classNames(styles.status, styles[tone])}>
      {icon}
      {children}
    </span>
  );
}
