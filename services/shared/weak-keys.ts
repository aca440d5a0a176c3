/** Of 32 random bytes about 30 differ; that fewer than this do happens once in 10^13 keys. A key of 16 bytes written twice has 16. */
const leastDistinctBytes = 18;

/** Why these bytes are surely no random key, or undefined. A key from a random source is refused less often than once in 10^12. */
export function weaknessOf(key: Uint8Array): string | undefined {
  if (key.every((byte) => byte >= 0x20 && byte < 0x7f)) return 'is text and not random bytes';
  if (new Set(key).size < leastDistinctBytes) return 'repeats too few bytes to be random';
  // Bytes again, so from 255 to 0 is a step of one.
  const steps = key.subarray(1).map((byte, index) => byte - (key[index] ?? 0));
  if (new Set(steps).size === 1) return 'counts up or down and is not random';
  return undefined;
}

const wellKnownPasswords = new Set([
  ...[
    'postgres',
    'password',
    'passw0rd',
    'secret',
    'changeme',
    'admin',
    'root',
    'test',
    'temporal',
  ],
]);

/** True for a password of a URL that everybody would try first. None at all is another way to sign in, which is not judged here. */
export function hasWellKnownPassword(url: string): boolean {
  const { username, password } = new URL(url);
  const [name, plain] = [decoded(username).toLowerCase(), decoded(password).toLowerCase()];
  return plain !== '' && (wellKnownPasswords.has(plain) || plain === name);
}

/** As it is where a lone percent sign makes it undecodable. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
