import type { Context } from 'koa';

type CookieOptions = {
  readonly maxAgeSeconds: number;
  /** Where it is sent to; with https always everywhere, as its prefix wants it. */
  readonly path?: string;
};

export type Cookies = {
  /** The name as browsers have it. */
  nameOf(name: string): string;
  read(ctx: Context, name: string): string | undefined;
  /** A `Set-Cookie` line. */
  set(name: string, value: string, options: CookieOptions): string;
  /** Makes the browser forget it. */
  forget(name: string): string;
};

/**
 * HttpOnly and SameSite=Lax: sent when the CA's page leads back here, not with what another site posts. With https the name begins with `__Host-`: browsers take
 * it from this very host alone, over https, so that no other host of the domain can plant one (RFC 6265bis, 4.1.3.2).
 */
export function createCookies(secure: boolean): Cookies {
  const nameOf = (name: string): string => (secure ? `__Host-${name}` : name);
  const set: Cookies['set'] = (name, value, { maxAgeSeconds, path = '/' }) =>
    [
      `${nameOf(name)}=${value}`,
      `Path=${secure ? '/' : path}`,
      `Max-Age=${maxAgeSeconds}`,
      'HttpOnly',
      'SameSite=Lax',
      ...(secure ? ['Secure'] : []),
    ].join('; ');
  return {
    nameOf,
    read: (ctx, name) => ctx.cookies.get(nameOf(name)),
    set,
    forget: (name) => set(name, '', { maxAgeSeconds: 0 }),
  };
}
