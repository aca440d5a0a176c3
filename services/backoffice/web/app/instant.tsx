import { useFormats } from '../language/language.tsx';
import { useNow } from './now.tsx';

/** An instant in the account's zone, which it names, and how far off it is. */
export function Instant({
  at,
  timeZone,
  relative = true,
}: {
  readonly at: string;
  readonly timeZone: string;
  readonly relative?: boolean;
}) {
  const formats = useFormats();
  const now = useNow();
  return (
    <>
      <time dateTime={at} title={timeZone}>
        {formats.instant(at, timeZone)}
      </time>
      {relative && <> · {formats.relative(at, now)}</>}
    </>
  );
}
