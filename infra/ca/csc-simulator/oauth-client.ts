import { timingSafeEqual, createHash } from 'node:crypto';
import { Refusal } from './refusal.ts';
import type { SimulatorOptions } from './options.ts';

const loopback = new Set(['127.0.0.1', 'localhost', '[::1]']);

/** Exact match with a registered address; on loopback any port will do (RFC 8252, 7.3). */
export function isRegisteredRedirect(registered: readonly string[], asked: string): boolean {
  if (registered.includes(asked)) return true;
  if (!URL.canParse(asked)) return false;
  const url = new URL(asked);
  if (!loopback.has(url.hostname)) return false;
  url.port = '';
  return registered.some((each) => {
    const known = new URL(each);
    if (known.hostname !== url.hostname) return false;
    known.port = '';
    return known.href === url.href;
  });
}

/** Client authentication by Basic or in the body; throws the texts of csc.md 3.4. */
export function authenticateClient(
  { clientId, clientSecret }: SimulatorOptions,
  authorization: string,
  form: URLSearchParams,
): void {
  if (authorization === '' && !form.has('client_secret')) {
    throw new Refusal('Client authorization required', 'invalid_request', 401);
  }
  const [id, secret] =
    authorization === ''
      ? [form.get('client_id') ?? '', form.get('client_secret') ?? '']
      : parseBasic(authorization);
  if (id !== clientId) throw new Refusal('Invalid parameter client_id', 'invalid_client', 401);
  if (!sameText(secret, clientSecret)) {
    throw new Refusal('Invalid parameter client_secret', 'invalid_client', 401);
  }
}

function parseBasic(header: string): [string, string] {
  const encoded = /^Basic ([A-Za-z0-9+/=]+)$/i.exec(header)?.[1];
  if (encoded === undefined) {
    throw new Refusal('Invalid authorization header', 'invalid_client', 401);
  }
  const [id = '', ...rest] = Buffer.from(encoded, 'base64').toString('utf8').split(':');
  return [decodeForm(id), decodeForm(rest.join(':'))];
}

/** RFC 6749, 2.3.1: both parts are form-encoded before they are joined. */
const decodeForm = (text: string): string => {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return text;
  }
};

/** Compares digests, so that neither length nor content shows in the time it takes. */
export function sameText(left: string, right: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(left), digest(right));
}
