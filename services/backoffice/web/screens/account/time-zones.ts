import { zoneName } from '../../language/formats.ts';
import { languages } from '../../language/languages.ts';

/** IANA names as this browser knows them; UTC is one too, but is not in its list. */
export const timeZones: readonly string[] = [
  ...new Set([...Intl.supportedValuesOf('timeZone'), 'UTC']),
];

/** The zone that is meant by a name in any case, or by its place alone where no other has it (`lisbon`). */
export function findTimeZone(written: string): string | undefined {
  const wanted = written.trim().toLowerCase();
  if (wanted === '') return undefined;
  const byName = timeZones.find((zone) => zone.toLowerCase() === wanted);
  if (byName !== undefined) return byName;
  const [byPlace, another] = timeZones.filter((zone) =>
    languages.some((language) => zoneName(zone, language).toLowerCase() === wanted),
  );
  if (byPlace !== undefined) return another === undefined ? byPlace : undefined;
  // Of the names that a zone has (`Europe/Kiev`, `Europe/Kyiv`) each browser lists one only.
  return written.includes('/') && isKnown(written.trim()) ? written.trim() : undefined;
}

function isKnown(timeZone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone });
    return true;
  } catch {
    return false;
  }
}
