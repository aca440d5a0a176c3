import type { ReactNode } from 'react';
import styles from './empty.module.css';

/** Why there is nothing here, and the one next step. */
export function Empty({
  icon,
  title,
  children,
  action,
}: {
  readonly icon?: ReactNode;
  readonly title: string;
  readonly children?: ReactNode;
  readonly action?: ReactNode;
}) {
  return (
    <div className={styles.empty}>
      {icon}
      <p className={styles.title}>{title}</p>
      {children}
      {action}
    </div>
  );
}
