export type Json =
  string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };

/**
 * The one text of a JSON value (RFC 8785, JCS): no white space, members sorted by the UTF-16 units of their names, strings and numbers as ECMAScript writes
 * them, which is what the RFC asks for. Throws for what JSON does not have: numbers that are not finite, strings with half a surrogate pair.
 */
export function canonicalJson(value: Json): string {
  if (typeof value === 'number' && !Number.isFinite(value)) {
    throw new RangeError(`no JSON number: ${String(value)}`);
  }
  if (typeof value === 'string' && !isWellFormed(value)) {
    throw new RangeError('no Unicode text: half a surrogate pair');
  }
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  if (isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([name, member]) => `${canonicalJson(name)}:${canonicalJson(member)}`).join(',')}}`;
}

// `Array.isArray` does not narrow read-only arrays.
const isArray = (value: object): value is readonly Json[] => Array.isArray(value);

const isWellFormed = (text: string): boolean => !/\p{Surrogate}/u.test(text);
