/** What a browser does that matters to a server, and nothing more: cookies, Origin, forms. No redirect is followed unless it is asked to. */
export type Browser = {
  /** A page, as a person opens it by link or redirect. */
  open(url: string): Promise<Page>;
  /** Sends a form of the page, with what a person types or chooses in place of what stood there. */
  submit(form: Form, typed?: Readonly<Record<string, string>>): Promise<Page>;
  /** A call by the script of a page of `url`'s own origin. */
  call(method: string, url: string, body?: unknown): Promise<Answer>;
};

export type Page = {
  readonly url: string;
  readonly status: number;
  /** Where it sends the browser, absolute. */
  readonly location: string | undefined;
  readonly text: string;
  readonly forms: readonly Form[];
};

export type Form = {
  readonly action: string;
  readonly method: string;
  /** What would be sent untouched; a button only when it is pressed. */
  readonly values: Readonly<Record<string, string>>;
  /** Every field by its name, and the values that a button of this name has. */
  readonly names: readonly string[];
};

export type Answer = {
  readonly status: number;
  readonly headers: Headers;
  /** Parsed JSON, undefined when there is none. */
  readonly body: unknown;
};

type Cookie = {
  readonly name: string;
  readonly value: string;
  readonly path: string;
  readonly expiresAt: number;
};

type RequestToSend = {
  readonly method?: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
};

const timeoutMs = 30_000;

/** A browser with an empty cookie jar. Cookies are kept by host, whatever the port, as browsers do (RFC 6265, 8.5). */
export function createBrowser(): Browser {
  const jar = new Map<string, Cookie[]>();

  async function send(url: string, { headers, ...init }: RequestToSend): Promise<Response> {
    const cookie = cookieHeader(jar, new URL(url));
    const response = await fetch(url, {
      ...init,
      headers: { ...headers, ...(cookie !== '' && { cookie }) },
      redirect: 'manual',
      signal: AbortSignal.timeout(timeoutMs),
    });
    storeCookies(jar, new URL(url), response.headers.getSetCookie());
    return response;
  }

  async function page(url: string, response: Response): Promise<Page> {
    const text = await response.text();
    const location = response.headers.get('location');
    return {
      url,
      status: response.status,
      location: location === null ? undefined : new URL(location, url).href,
      text,
      forms: parseForms(text, url),
    };
  }

  return {
    async open(url) {
      const headers = { accept: 'text/html', 'sec-fetch-mode': 'navigate' };
      return page(url, await send(url, { headers }));
    },

    async submit(form, typed = {}) {
      const body = new URLSearchParams({ ...form.values, ...typed });
      const response = await send(form.action, {
        method: form.method,
        headers: {
          accept: 'text/html',
          'content-type': 'application/x-www-form-urlencoded',
          origin: new URL(form.action).origin,
          'sec-fetch-site': 'same-origin',
        },
        body: body.toString(),
      });
      return page(form.action, response);
    },

    async call(method, url, body) {
      const response = await send(url, {
        method,
        headers: {
          accept: 'application/json',
          'sec-fetch-site': 'same-origin',
          ...(method !== 'GET' && { origin: new URL(url).origin }),
          ...(body !== undefined && { 'content-type': 'application/json' }),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      const isJson = (response.headers.get('content-type') ?? '').includes('json');
      return {
        status: response.status,
        headers: response.headers,
        body: isJson ? (JSON.parse(text) as unknown) : undefined,
      };
    },
  };
}

function cookieHeader(jar: ReadonlyMap<string, Cookie[]>, url: URL): string {
  const matches = ({ path, expiresAt }: Cookie): boolean =>
    expiresAt > Date.now() &&
    (url.pathname === path || url.pathname.startsWith(path.endsWith('/') ? path : `${path}/`));
  return (jar.get(url.hostname) ?? [])
    .filter(matches)
    .map(({ name, value }) => `${name}=${value}`)
    .join('; ');
}

function storeCookies(jar: Map<string, Cookie[]>, url: URL, lines: readonly string[]): void {
  for (const line of lines) {
    const cookie = parseCookie(line, url);
    if (cookie === undefined) continue;
    const others = (jar.get(url.hostname) ?? []).filter(
      ({ name, path }) => name !== cookie.name || path !== cookie.path,
    );
    jar.set(url.hostname, [...others, cookie]);
  }
}

function parseCookie(line: string, url: URL): Cookie | undefined {
  const [pair = '', ...attributes] = line.split(';').map((part) => part.trim());
  const equals = pair.indexOf('=');
  if (equals < 1) return undefined;
  const given = new Map(
    attributes.map((attribute) => {
      const [name = '', ...value] = attribute.split('=');
      return [name.toLowerCase(), value.join('=')];
    }),
  );
  // A browser keeps no Secure cookie that came over plain HTTP from anywhere but this machine.
  const isTrusted = url.protocol === 'https:' || /^(localhost|127\.|\[::1\])/.test(url.hostname);
  if (given.has('secure') && !isTrusted) return undefined;
  const maxAge = given.get('max-age');
  const expires = given.get('expires');
  return {
    name: pair.slice(0, equals),
    value: pair.slice(equals + 1),
    path: given.get('path') ?? '/',
    expiresAt:
      maxAge !== undefined
        ? Date.now() + Number(maxAge) * 1000
        : expires !== undefined
          ? Date.parse(expires)
          : Number.POSITIVE_INFINITY,
  };
}

/** The forms of a page of plain HTML. */
export function parseForms(html: string, pageUrl: string): Form[] {
  return [...html.matchAll(/<form\b([^>]*)>(.*?)<\/form>/gis)].map(([, tag = '', content = '']) => {
    const form = attributesOf(tag);
    const values: Record<string, string> = {};
    const names = new Set<string>();
    for (const [, element = '', rest = ''] of content.matchAll(/<(input|button)\b([^>]*)>/gi)) {
      const field = attributesOf(rest);
      const name = field.get('name');
      if (name === undefined) continue;
      names.add(name);
      const isChosen =
        element.toLowerCase() === 'input' &&
        field.get('type') !== 'submit' &&
        (!/^(radio|checkbox)$/.test(field.get('type') ?? '') || field.has('checked'));
      if (isChosen) values[name] = field.get('value') ?? '';
    }
    return {
      action: new URL(form.get('action') ?? pageUrl, pageUrl).href,
      method: (form.get('method') ?? 'get').toUpperCase(),
      values,
      names: [...names],
    };
  });
}

function attributesOf(tag: string): Map<string, string> {
  return new Map(
    [...tag.matchAll(/([\w-]+)(?:\s*=\s*"([^"]*)")?/g)].map(([, name = '', value = '']) => [
      name.toLowerCase(),
      decodeEntities(value),
    ]),
  );
}

const entities: Readonly<Record<string, string>> = { lt: '<', gt: '>', quot: '"', amp: '&' };

const decodeEntities = (text: string): string =>
  text
    .replaceAll(/&(lt|gt|quot|amp);/g, (whole, name: string) => entities[name] ?? whole)
    .replaceAll(/&#(\d+);/g, (_, code: string) => String.fromCodePoint(Number(code)));
