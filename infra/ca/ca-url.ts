const loopback = new Set(['127.0.0.1', 'localhost', '[::1]']);

/** Whether secrets may be sent there: https, or http to this machine (the simulator). */
export function isSafeUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, username, hash } = new URL(text);
  if (username !== '' || hash !== '') return false;
  return protocol === 'https:' || (protocol === 'http:' && loopback.has(hostname));
}

export const withoutTrailingSlash = (text: string): string => text.replace(/\/+$/, '');
