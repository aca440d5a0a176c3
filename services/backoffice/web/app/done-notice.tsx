import { useEffect, useRef } from 'react';
import { Notice } from '../design/notice.tsx';
import styles from './done-notice.module.css';

export type Done = {
  readonly text: string;
  /** Where what was pressed is gone with what was done: Tab goes on from here. */
  readonly takesFocus?: boolean;
};

/** What was done, seen and read out, until the next thing is done. */
export function DoneNotice({ done }: { readonly done: Done | undefined }) {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (done?.takesFocus === true) place.current?.focus();
  }, [done]);
  return (
    <div ref={place} role="status" tabIndex={-1} className={styles.outcome}>
      {done !== undefined && (
        <Notice tone="good">
          <p>{done.text}</p>
        </Notice>
      )}
    </div>
  );
}
