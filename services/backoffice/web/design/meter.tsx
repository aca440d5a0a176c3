import { classNames } from './class-names.ts';
import type { Tone } from './status.tsx';
import styles from './meter.module.css';

/**
 * How much of a limit is used. The bar is a picture beside its text; what is read out is `valueText`, with the figures. A `mark` shows where warnings begin.
 */
export function Meter({
  label,
  value,
  valueText,
  tone,
  mark,
  small = false,
}: {
  readonly label: string;
  /** Share of the limit, 0 to 1. */
  readonly value: number;
  readonly valueText: string;
  readonly tone: Tone;
  /** Share at which the warning begins. */
  readonly mark?: number;
  readonly small?: boolean;
}) {
  const percent = Math.min(100, Math.max(0, value * 100));
  return (
    <div
      role="meter"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.floor(percent)}
      aria-valuetext={valueText}
      className={classNames(styles.meter, small && styles.small, styles[tone])}
    >
      {/* As drawings, whose geometry is attributes: a strict CSP lets no style be written into the page. */}
      <svg aria-hidden="true" width="100%" height="100%" preserveAspectRatio="none">
        <rect className={styles.fill} width={`${percent}%`} height="100%" />
        {mark !== undefined && (
          <rect className={styles.mark} x={`${mark * 100}%`} width="2" height="100%" />
        )}
      </svg>
    </div>
  );
}
