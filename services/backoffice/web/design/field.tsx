import { useId, type ComponentProps, type ReactNode } from 'react';
import { CircleAlert } from 'lucide-react';
import { classNames } from './class-names.ts';
import styles from './field.module.css';

type Around = {
  readonly label: string;
  readonly hint?: ReactNode;
  /** What is wrong with what was typed; read out with the field. */
  readonly error?: string | undefined;
};

/** A label, its hint and its fault around one control, tied together for those who cannot see them. */
function useAround({ label, hint, error }: Around) {
  const id = useId();
  const described = classNames(
    hint !== undefined && `${id}-hint`,
    error !== undefined && `${id}-error`,
  );
  return {
    attributes: {
      id,
      'aria-describedby': described === '' ? undefined : described,
      'aria-invalid': error !== undefined || undefined,
    },
    around: (control: ReactNode) => (
      <div className={styles.field}>
        <label htmlFor={id}>{label}</label>
        {hint !== undefined && (
          <p id={`${id}-hint`} className={styles.hint}>
            {hint}
          </p>
        )}
        {control}
        {error !== undefined && (
          <p id={`${id}-error`} className={styles.error} role="alert">
            <CircleAlert size={16} aria-hidden="true" />
            {error}
          </p>
        )}
      </div>
    ),
  };
}

export function TextField({
  label,
  hint,
  error,
  className,
  ...rest
}: Around & ComponentProps<'input'>) {
  const { attributes, around } = useAround({ label, hint, error });
  return around(
    <input {...attributes} {...rest} className={classNames(styles.control, className)} />,
  );
}

export function TextArea({ label, hint, error, ...rest }: Around & ComponentProps<'textarea'>) {
  const { attributes, around } = useAround({ label, hint, error });
  return around(
    <textarea
      rows={3}
      {...rest}
      {...attributes}
      className={classNames(styles.control, styles.area)}
    />,
  );
}

export function SelectField({
  label,
  hint,
  error,
  options,
  ...rest
}: Around &
  ComponentProps<'select'> & {
    readonly options: readonly (readonly [value: string, text: string])[];
  }) {
  const { attributes, around } = useAround({ label, hint, error });
  return around(
    <select {...attributes} {...rest} className={styles.control}>
      {options.map(([value, text]) => (
        <option key={value} value={value}>
          {text}
        </option>
      ))}
    </select>,
  );
}
