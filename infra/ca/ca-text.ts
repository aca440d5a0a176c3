const textLimit = 300;

/**
 * Text of the CA made safe to keep and show as text: secrets of the call taken out, control
 * characters and runs of blanks folded, length bounded. Undefined for anything that is no text.
 */
export function cleanText(value: unknown, secrets: readonly string[] = []): string | undefined {
  if (typeof value !== 'string') return undefined;
  let text = value;
  // The longest first, so that a secret within a secret does not leave the rest of it behind.
  for (const secret of [...secrets].sort((a, b) => b.length - a.length)) {
    for (const form of [secret, encodeURIComponent(secret)]) {
      if (form !== '') text = text.replaceAll(form, '[secret]');
    }
  }
  text = text.replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ').trim();
  // Half a character, as it came or as it was cut, could not be stored.
  text = text.slice(0, textLimit).replace(/\p{Cs}/gu, '');
  return text === '' ? undefined : text;
}
