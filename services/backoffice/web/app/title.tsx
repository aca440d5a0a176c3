import { useEffect, useRef, type ReactNode } from 'react';
import { useLocation } from 'wouter';
import styles from './title.module.css';

/**
 * The heading of a screen and of the browser's tab. After going from one screen to another the focus is on it, so that it is read out and Tab goes on from there.
 */
export function Title({
  children,
  tab = children,
  aside,
  below,
}: {
  readonly children: string;
  /** What the tab says, where that is not the heading. */
  readonly tab?: string;
  readonly aside?: ReactNode;
  readonly below?: ReactNode;
}) {
  const heading = useRef<HTMLHeadingElement>(null);
  const [path] = useLocation();
  useEffect(() => {
    document.title = `${tab} · Certificate Access`;
  }, [tab]);
  useEffect(() => {
    // A dialog that is open keeps it.
    if (document.querySelector('dialog[open]') === null)
      heading.current?.focus({ preventScroll: true });
  }, [path]);
  return (
    <header className={styles.title}>
      <div className={styles.row}>
        <h1 ref={heading} tabIndex={-1}>
          {children}
        </h1>
        {aside}
      </div>
      {below}
    </header>
  );
}
