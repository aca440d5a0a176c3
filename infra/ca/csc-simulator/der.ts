/**
 * Just enough DER (X.690) to write a certificate. node:crypto reads certificates but cannot issue
 * them, and the libraries that can bring a dozen packages for what the simulator needs.
 */

const tag = (id: number, ...parts: readonly Buffer[]): Buffer => {
  const content = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([id]), length(content.length), content]);
};

function length(value: number): Buffer {
  if (value < 0x80) return Buffer.from([value]);
  const hex = value.toString(16);
  const bytes = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
  return Buffer.concat([Buffer.from([0x80 | bytes.length]), bytes]);
}

export const sequence = (...parts: readonly Buffer[]): Buffer => tag(0x30, ...parts);
export const set = (...parts: readonly Buffer[]): Buffer => tag(0x31, ...parts);
export const octetString = (content: Buffer): Buffer => tag(0x04, content);
export const utf8String = (text: string): Buffer => tag(0x0c, Buffer.from(text, 'utf8'));
export const printableString = (text: string): Buffer => tag(0x13, Buffer.from(text, 'ascii'));
export const boolean = (value: boolean): Buffer => tag(0x01, Buffer.from([value ? 0xff : 0]));
export const nothing = (): Buffer => tag(0x05);
export const explicit = (number: number, content: Buffer): Buffer => tag(0xa0 | number, content);

export const implicit = (number: number, content: Buffer): Buffer => tag(0x80 | number, content);

/** A positive integer given as big-endian bytes. */
export const integer = (bytes: Buffer): Buffer =>
  tag(0x02, (bytes[0] ?? 0) & 0x80 ? Buffer.concat([Buffer.from([0]), bytes]) : bytes);

/** `unused`: how many of the last bits do not count. */
export const bitString = (content: Buffer, unused = 0): Buffer =>
  tag(0x03, Buffer.from([unused]), content);

/** An instant, to the second, always as GeneralizedTime (`YYYYMMDDHHMMSSZ`) from 2050, UTCTime before. */
export function time(instant: Date): Buffer {
  const digits = instant.toISOString().replace(/[-:T]|\.\d+/g, '');
  return instant.getUTCFullYear() < 2050
    ? tag(0x17, Buffer.from(digits.slice(2), 'ascii'))
    : tag(0x18, Buffer.from(digits, 'ascii'));
}

/** An object identifier from its dotted form. */
export function objectIdentifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return tag(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

function base128(value: number): number[] {
  const bytes = [value & 0x7f];
  for (let left = value >>> 7; left > 0; left >>>= 7) bytes.unshift((left & 0x7f) | 0x80);
  return bytes;
}
