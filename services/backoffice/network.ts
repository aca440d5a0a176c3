import { isIPv4, isIPv6 } from 'node:net';

/**
 * Whose tries are counted together: an IPv4 address, or the first 64 bits of an IPv6 address, since one connection is given all the others of them (RFC 6177). What
 * is no address is one network of its own.
 */
export function networkOf(address: string): string {
  const [plain = ''] = address.split('%');
  if (isIPv4(plain)) return plain;
  if (!isIPv6(plain)) return 'unknown';
  const groups = groupsOf(plain);
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff) {
    return groups
      .slice(6)
      .flatMap((group) => [group >> 8, group & 0xff])
      .join('.');
  }
  const prefix = groups.slice(0, 4).map((group) => group.toString(16));
  return `${prefix.join(':')}::/64`;
}

/** The eight groups of an IPv6 address. */
function groupsOf(address: string): number[] {
  const [head = [], tail = []] = address.split('::').map(numbersOf);
  const missing = Array.from({ length: 8 - head.length - tail.length }, () => 0);
  return [...head, ...missing, ...tail];
}

/** The last group may be written as an IPv4 address, which is two. */
const numbersOf = (part: string): number[] =>
  part
    .split(':')
    .filter((group) => group !== '')
    .flatMap((group) => {
      const [a, b, c, d] = group.split('.').map(Number);
      if (a === undefined || b === undefined || c === undefined || d === undefined) {
        return [Number.parseInt(group, 16)];
      }
      return [a * 256 + b, c * 256 + d];
    });
