import { useId, type ReactNode } from 'react';
import { CircleAlert } from 'lucide-react';
import field from './field.module.css';
import styles from './choice.module.css';

type Option<T extends string> = {
  readonly value: T;
  readonly text: string;
  /** What choosing it means. */
  readonly note?: ReactNode;
};

type Around<T extends string> = {
  readonly label: string;
  readonly hint?: string;
  readonly error?: string | undefined;
  readonly options: readonly Option<T>[];
};

/** One of a few, all in sight with what each means. */
export function OneOf<T extends string>({
  chosen,
  onChoose,
  ...around
}: Around<T> & { readonly chosen: T; readonly onChoose: (value: T) => void }) {
  return (
    <Group {...around} type="radio" isChosen={(value) => value === chosen} onToggle={onChoose} />
  );
}

/** Any of many; the list scrolls by itself where it is long. */
export function AnyOf<T extends string>({
  chosen,
  onChoose,
  ...around
}: Around<T> & {
  readonly chosen: readonly T[];
  readonly onChoose: (chosen: readonly T[]) => void;
}) {
  return (
    <Group
      {...around}
      type="checkbox"
      isChosen={(value) => chosen.includes(value)}
      onToggle={(value, isOn) =>
        onChoose(isOn ? [...chosen, value] : chosen.filter((other) => other !== value))
      }
    />
  );
}

function Group<T extends string>({
  label,
  hint,
  error,
  options,
  type,
  isChosen,
  onToggle,
}: Around<T> & {
  readonly type: 'radio' | 'checkbox';
  readonly isChosen: (value: T) => boolean;
  readonly onToggle: (value: T, isOn: boolean) => void;
}) {
  const id = useId();
  const described = [hint !== undefined && `${id}-hint`, error !== undefined && `${id}-error`]
    .filter(Boolean)
    .join(' ');
  return (
    <fieldset className={styles.group} aria-describedby={described === '' ? undefined : described}>
      <legend>{label}</legend>
      {hint !== undefined && (
        <p id={`${id}-hint`} className={field.hint}>
          {hint}
        </p>
      )}
      <div className={type === 'checkbox' ? styles.list : styles.few}>
        {options.map(({ value, text, note }) => (
          <label key={value} className={styles.option}>
            <input
              type={type}
              name={id}
              value={value}
              checked={isChosen(value)}
              aria-invalid={error !== undefined || undefined}
              onChange={({ target }) => onToggle(value, target.checked)}
            />
            <span className={styles.text}>
              {text}
              {note !== undefined && <span className={styles.note}>{note}</span>}
            </span>
          </label>
        ))}
      </div>
      {error !== undefined && (
        <p id={`${id}-error`} className={field.error} role="alert">
          <CircleAlert size={16} aria-hidden="true" />
          {error}
        </p>
      )}
    </fieldset>
  );
}
