import { useEffect, useState } from 'react';
import styles from './skeleton.module.css';

const patienceMs = 300;

/** Grey lines where text will be; only when it takes long enough to be noticed. `label` is read out. */
export function Skeleton({
  label,
  lines = 4,
}: {
  readonly label: string;
  readonly lines?: number;
}) {
  const [isLate, setLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => {
      setLate(true);
    }, patienceMs);
    return () => {
      clearTimeout(timer);
    };
  }, []);
  return (
    <div className={styles.skeleton} role="status">
      {isLate && <span className="visually-hidden">{label}</span>}
      {isLate &&
        Array.from({ length: lines }, (_, line) => <div key={line} className={styles.line} />)}
    </div>
  );
}
