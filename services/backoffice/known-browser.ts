import type { Context } from 'koa';
import {
  isKnownBrowser,
  knownBrowserSeconds,
  rememberBrowser,
} from '../../infra/postgres/known-browsers.ts';
import type { Queryable } from '../../infra/postgres/pool.ts';
import { hashSecret, newSecret } from '../../infra/postgres/sealing.ts';
import type { Cookies } from './cookies.ts';

/** One for each operator who has signed in with the browser. It opens nothing. */
const browserCookie = (operatorId: string) => `browser-${operatorId}`;

/** The secret by which this browser is known as one of this operator's; undefined when it is not known. */
export async function knownSecretOf(
  queryable: Queryable,
  ctx: Context,
  operatorId: string,
  cookies: Cookies,
  now: Date,
): Promise<string | undefined> {
  const secret = cookies.read(ctx, browserCookie(operatorId));
  if (secret === undefined) return undefined;
  const isKnown = await isKnownBrowser(queryable, hashSecret(secret), operatorId, now);
  return isKnown ? secret : undefined;
}

/** The browser is known from now on, or still; answers the cookie that it keeps. */
export async function makeKnown(
  tx: Queryable,
  ctx: Context,
  operatorId: string,
  cookies: Cookies,
  now: Date,
): Promise<string> {
  const known = await knownSecretOf(tx, ctx, operatorId, cookies, now);
  const secret = known ?? newSecret();
  await rememberBrowser(tx, hashSecret(secret), operatorId, now);
  return cookies.set(browserCookie(operatorId), secret, { maxAgeSeconds: knownBrowserSeconds });
}
