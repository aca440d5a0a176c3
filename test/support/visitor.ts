import type { Answer } from '../../services/stack/browser.ts';

export type Visitor = {
  call(method: string, path: string, body?: unknown): Promise<Answer>;
  signIn(email: string, password: string): Promise<Answer>;
};

/** Somebody with a browser of his own in a network of his own, behind the one proxy that the backoffice trusts (`trustedProxies: 1`). */
export function createVisitor(url: string, network: string): Visitor {
  const jar = new Map<string, string>();
  const call: Visitor['call'] = async (method, path, body) => {
    const response = await fetch(url + path, {
      method,
      headers: {
        'x-forwarded-for': network,
        cookie: [...jar].map(([name, value]) => `${name}=${value}`).join('; '),
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (line.includes('Max-Age=0;')) jar.delete(name);
      else jar.set(name, value);
    }
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      body: text === '' ? undefined : (JSON.parse(text) as unknown),
    };
  };
  return {
    call,
    signIn: (email, password) => call('POST', '/api/session', { email, password }),
  };
}

let networks = 0;
/** One that nobody else has. */
export const newNetwork = (): string => {
  networks += 1;
  return `10.${networks >> 16}.${(networks >> 8) & 255}.${networks & 255}`;
};
