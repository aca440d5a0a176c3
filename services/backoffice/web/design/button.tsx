import type { ComponentProps, ReactNode } from 'react';
import { Link } from 'wouter';
import { classNames } from './class-names.ts';
import styles from './button.module.css';

type Look = {
  /** `primary` once a view; `danger` for what stops or takes away. */
  readonly look?: 'primary' | 'secondary' | 'danger' | 'quiet';
  readonly icon?: ReactNode;
  readonly small?: boolean;
};

const classOf = ({ look = 'secondary', small = false }: Look, own?: string): string =>
  classNames(styles.button, styles[look], small && styles.small, own);

/** While `busy` it shows that something is going on, and a second press does nothing; it keeps the focus all the same. */
export function Button({
  look,
  icon,
  small,
  busy = false,
  className,
  children,
  onClick,
  ...rest
}: Look & ComponentProps<'button'> & { readonly busy?: boolean }) {
  return (
    <button
      type="button"
      {...rest}
      className={classOf({ ...(look && { look }), ...(small && { small }) }, className)}
      aria-busy={busy || undefined}
      aria-disabled={busy || undefined}
      onClick={(event) => {
        if (busy) event.preventDefault();
        else onClick?.(event);
      }}
    >
      {busy ? <span className={styles.spinner} aria-hidden="true" /> : icon}
      <span>{children}</span>
    </button>
  );
}

/** A link that looks like a button: for going somewhere. */
export function ButtonLink({
  href,
  look,
  icon,
  small,
  children,
}: Look & { readonly href: string; readonly children: ReactNode }) {
  return (
    <Link href={href} className={classOf({ ...(look && { look }), ...(small && { small }) })}>
      {icon}
      <span>{children}</span>
    </Link>
  );
}

/** A link that looks like a button: for saving what the server sends as a file. */
export function DownloadLink({
  href,
  look,
  icon,
  small,
  label,
  children,
}: Look & { readonly href: string; readonly label?: string; readonly children: ReactNode }) {
  return (
    <a
      href={href}
      download
      aria-label={label}
      className={classOf({ ...(look && { look }), ...(small && { small }) })}
    >
      {icon}
      <span>{children}</span>
    </a>
  );
}
