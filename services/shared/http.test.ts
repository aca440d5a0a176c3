import { connect } from 'node:net';
import { once } from 'node:events';
import { PassThrough, Readable } from 'node:stream';
import { text as textOf } from 'node:stream/consumers';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { Gauge, Registry } from 'prom-client';
import { z } from 'zod';
import { Problem } from '../../domain/errors.ts';
import { waitUntil } from '../../infra/development/wait-until.ts';
import { NotReady } from './health.ts';
import { createHttpApp, type HttpAppOptions, type Listening } from './http.ts';
import { createLog } from './log.ts';
import { defineRoute, empty, text, type Authentication } from './route.ts';

const id = '3f1f8a57-3a53-4a39-9d6d-6a6a0d8f6a11';
const secret = 'hunter2-planted-secret';

const bearer: Authentication<{ keyName: string }> = {
  scheme: 'apiKey',
  definition: { type: 'http', scheme: 'bearer' },
  problems: ['api_key_refused'],
  authenticate: (ctx) =>
    ctx.get('authorization') === 'Bearer good'
      ? Promise.resolve({ keyName: 'signer' })
      : Promise.reject(new Problem('api_key_refused')),
};

const grant = z
  .object({ id: z.uuid(), usage: z.enum(['low', 'high']), note: z.string().optional() })
  .meta({ id: 'Grant' });
const stream = new PassThrough();

const routes = [
  defineRoute({
    method: 'GET',
    path: '/api/grants/:id',
    summary: 'A grant',
    params: z.strictObject({ id: z.uuid() }),
    query: z.strictObject({ limit: z.coerce.number().int().min(1).max(10).default(5) }),
    responses: { 200: z.object({ grant, limit: z.int(), caller: z.string() }) },
    authentication: bearer,
  }).handle(({ params, query, caller }) => ({
    status: 200,
    body: { grant: { id: params.id, usage: 'low' }, limit: query.limit, caller: caller.keyName },
  })),
  defineRoute({
    method: 'POST',
    path: '/api/grants/:id/authorization',
    summary: 'Gives PIN or OTP',
    params: z.strictObject({ id: z.uuid() }),
    body: z.strictObject({ pin: z.string().max(8), otp: z.string().length(6).optional() }),
    responses: { 204: empty('Accepted'), 201: grant },
    problems: ['resend_too_soon', 'factor_rejected', 'ca_unreachable'],
  }).handle(({ body }) => {
    if (body.pin === '0000') throw new Problem('factor_rejected', { triesLeft: 2, status: 1 });
    if (body.pin === '1111') throw new Problem('resend_too_soon', { retryAfterSeconds: 12.2 });
    if (body.pin === '2222')
      throw new Problem('ca_unreachable', {}, { cause: new Error('socket hang up') });
    if (body.pin === '3333') throw new Error(`the PIN could not be sent`);
    if (body.pin === '4444')
      return { status: 201, body: JSON.parse('{"id":"no uuid","usage":"low"}') as never };
    if (body.pin === '5555') {
      const leaking = { id, usage: 'low' as const, sad: secret };
      return { status: 201, body: leaking };
    }
    return { status: 204 };
  }),
  defineRoute({
    method: 'POST',
    path: '/api/renewals',
    summary: 'Opens a renewal',
    body: z.strictObject({ takeOver: z.boolean().optional() }).optional(),
    responses: { 303: empty('To the CA') },
  }).handle(({ body }) => ({
    status: 303,
    headers: { location: `/renewals?takeOver=${String(body?.takeOver ?? false)}` },
  })),
  defineRoute({
    method: 'POST',
    path: '/api/bare',
    summary: 'Does something that needs no more to be said',
    responses: { 204: empty('Done') },
  }).handle(() => ({ status: 204 })),
  defineRoute({
    method: 'GET',
    path: '/api/timeline',
    summary: 'Everything that happened',
    query: z.strictObject({ format: z.enum(['json', 'csv']) }),
    responses: {
      200: { description: 'As asked', json: z.object({ rows: z.int() }), text: 'text/csv' },
    },
  }).handle(({ query }) =>
    query.format === 'csv'
      ? { status: 200, text: 'at,what\n' }
      : { status: 200, body: { rows: 0 } },
  ),
  defineRoute({
    method: 'GET',
    path: '/api/events',
    summary: 'What changes',
    responses: { 200: text('text/event-stream', 'Server-sent events') },
  }).handle(() => ({ status: 200, text: stream })),
];

let lines: string[] = [];
const opened: Listening[] = [];
const open = async (overrides: Partial<HttpAppOptions> = {}) => {
  lines = [];
  const log = createLog({
    service: 'test',
    level: 'debug',
    destination: { write: (line: string) => void lines.push(line) },
  });
  const app = createHttpApp({
    log,
    metrics: new Registry(),
    title: 'Test',
    version: '1.0.0',
    routes,
    checkResponses: true,
    ...overrides,
  });
  const listening = await app.listen({ port: 0 });
  opened.push(listening);
  return { app, listening, url: listening.url };
};
const logged = () => lines.map((line) => JSON.parse(line) as Record<string, unknown>);
const json = async (response: Response) => (await response.json()) as Record<string, unknown>;
const post = (url: string, body: unknown, headers: Record<string, string> = {}) =>
  fetch(url, {
    method: 'POST',
    body: typeof body === 'string' ? body : JSON.stringify(body),
    headers: { 'content-type': 'application/json', ...headers },
    redirect: 'manual',
  });

afterEach(async () => {
  for (const listening of opened.splice(0)) await listening.stop(100);
});

const streaming = (of: Readable) =>
  defineRoute({
    method: 'GET',
    path: '/api/stream',
    summary: 'A stream',
    responses: { 200: text('text/event-stream', 'Events') },
  }).handle(() => ({ status: 200, text: of }));
/** Sends bytes as they are, and answers what came back until the connection was closed. */
const sendRaw = async (url: string, bytes: string): Promise<string> => {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  socket.write(bytes);
  return textOf(socket);
};

describe('a declared route', () => {
  it('gets parsed input and the caller, and answers JSON with the security headers', async () => {
    const { url } = await open();
    const response = await fetch(`${url}/api/grants/${id}?limit=7`, {
      headers: { authorization: 'Bearer good' },
    });
    expect(response.status).toBe(200);
    expect(await json(response)).toEqual({
      grant: { id, usage: 'low' },
      limit: 7,
      caller: 'signer',
    });
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': expect.stringContaining('application/json') as string,
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      'cache-control': 'no-store',
    });
  });

  it('asks who is calling before it judges the request', async () => {
    const { url } = await open();
    const response = await fetch(`${url}/api/grants/nonsense?limit=x`);
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toBe('Bearer');
    expect(await json(response)).toMatchObject({ code: 'api_key_refused' });
  });

  it('does not exist at an address whose parameters cannot be ours', async () => {
    const { url } = await open();
    const response = await fetch(`${url}/api/grants/nonsense`, {
      headers: { authorization: 'Bearer good' },
    });
    expect([response.status, (await json(response))['code']]).toEqual([404, 'not_found']);
  });

  it('may be called without a body where the body is optional', async () => {
    const { url } = await open();
    const without = await fetch(`${url}/api/renewals`, { method: 'POST', redirect: 'manual' });
    const withBody = await post(`${url}/api/renewals`, { takeOver: true });
    expect([without.status, without.headers.get('location'), await without.text()]).toEqual([
      303,
      '/renewals?takeOver=false',
      '',
    ]);
    expect(withBody.headers.get('location')).toBe('/renewals?takeOver=true');
  });

  it.each([
    ['GET', '/api/events?since=1'],
    ['POST', '/api/bare?x'],
    ['POST', '/api/renewals?takeOver=true'],
  ])('takes no query that it does not declare: %s %s', async (method, path) => {
    const { url } = await open();
    const response = await fetch(url + path, { method });
    expect({ status: response.status, body: await json(response) }).toMatchObject({
      status: 400,
      body: { code: 'invalid_request', faults: [{ message: 'There is no such field.' }] },
    });
  });

  it('is told nothing by the query of what machines ask, to which others add what they like', async () => {
    const { url } = await open();
    for (const path of ['/healthz', '/readyz', '/metrics', '/openapi.json']) {
      expect((await fetch(`${url}${path}?_=1`)).status).toBe(200);
    }
  });

  it.each([
    [undefined, 204],
    ['{}', 204],
    ['{"pin":"1234"}', 400],
    ['[]', 400],
    ['{', 400],
    [' '.repeat(70_000), 413],
  ])('without a body of its own takes none, or an empty one: %#', async (body, status) => {
    const { url } = await open();
    const response = await fetch(`${url}/api/bare`, {
      method: 'POST',
      ...(body !== undefined && { body, headers: { 'content-type': 'application/json' } }),
    });
    expect(response.status).toBe(status);
    expect(await response.text()).not.toContain('1234');
  });

  it('does not keep the stream of an answer that is asked for without its content', async () => {
    const asked = new Readable({ read: () => undefined });
    const { url } = await open({ routes: [streaming(asked)] });
    const closed = once(asked, 'close');
    expect((await fetch(`${url}/api/stream`, { method: 'HEAD' })).status).toBe(200);
    await closed;
  });

  it('answers text of the declared type where it declares one', async () => {
    const { url } = await open();
    const csv = await fetch(`${url}/api/timeline?format=csv`);
    const rows = await fetch(`${url}/api/timeline?format=json`);
    expect([csv.headers.get('content-type'), await csv.text()]).toEqual(['text/csv', 'at,what\n']);
    expect(await json(rows)).toEqual({ rows: 0 });
  });
});

describe('what is refused', () => {
  const authorization = (url: string) => `${url}/api/grants/${id}/authorization`;

  it('says code, sentence, what to do and the reference id, and keeps the details of the problem', async () => {
    const { url } = await open();
    const response = await post(
      authorization(url),
      { pin: '0000' },
      { 'x-request-id': 'ref-12345' },
    );
    expect(response.headers.get('content-type')).toContain('application/problem+json');
    expect(response.headers.get('x-request-id')).toBe('ref-12345');
    expect([response.status, await json(response)]).toEqual([
      422,
      {
        triesLeft: 2,
        type: 'urn:certificate-access:problem:factor_rejected',
        title: 'The CA did not accept the PIN or the code. The access is as it was before.',
        status: 422,
        code: 'factor_rejected',
        detail: 'Check the PIN and use the newest code.',
        instance: 'ref-12345',
      },
    ]);
  });

  it('says when to try again', async () => {
    const { url } = await open();
    const response = await post(authorization(url), { pin: '1111' });
    expect([response.status, response.headers.get('retry-after')]).toEqual([429, '13']);
  });

  it('makes a reference id of its own when the given one is not a plain token', async () => {
    const { url } = await open();
    const response = await fetch(`${url}/healthz`, { headers: { 'x-request-id': 'a b"<script>' } });
    expect(response.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('lists all faults of the input together without repeating its values', async () => {
    const { url } = await open();
    const response = await post(authorization(url), { pin: secret, otp: 12, password: secret });
    const answer = await response.text();
    expect(response.status).toBe(400);
    expect(
      (JSON.parse(answer) as { faults: { path: string }[] }).faults.map((f) => f.path),
    ).toEqual(['body.pin', 'body.otp', 'body.password']);
    expect(answer + lines.join('')).not.toContain(secret);
  });

  it.each([
    ['malformed JSON', `{"pin": "${secret}`, 'application/json', 400, 'invalid_request'],
    [
      'bytes that are not UTF-8',
      Buffer.from([0x22, 0xff, 0x22]),
      'application/json',
      400,
      'invalid_request',
    ],
    ['no body', '', 'application/json', 400, 'invalid_request'],
    ['a form', `pin=${secret}`, 'application/x-www-form-urlencoded', 415, 'unsupported_media_type'],
    ['text', '{"pin":"1"}', 'text/plain', 415, 'unsupported_media_type'],
    ['a NUL in a text', '{"pin":"1\\u0000"}', 'application/json', 400, 'invalid_request'],
    ['half a character', '{"pin":"\\ud800"}', 'application/json', 400, 'invalid_request'],
    ['too much', `"${'x'.repeat(65_535)}"`, 'application/json', 413, 'body_too_large'],
  ])('%s is refused by its own code', async (_, body, contentType, status, code) => {
    const { url } = await open();
    const response = await fetch(authorization(url), {
      method: 'POST',
      body,
      headers: { 'content-type': contentType },
    });
    const answer = await response.text();
    expect([response.status, (JSON.parse(answer) as { code: string }).code]).toEqual([
      status,
      code,
    ]);
    expect(answer + lines.join('')).not.toContain(secret);
  });

  it('is too large also when the length is not announced, and the limit itself still fits', async () => {
    const { url } = await open();
    const chunked = (size: number) =>
      fetch(authorization(url), {
        method: 'POST',
        body: new Blob([JSON.stringify({ pin: '1' }).padEnd(size)]).stream(),
        headers: { 'content-type': 'application/json' },
        duplex: 'half',
      });
    expect((await chunked(65_537)).status).toBe(413);
    expect((await chunked(65_536)).status).toBe(204);
  });

  it('is what no route knows, by address or by method', async () => {
    const { url } = await open();
    const unknown = await fetch(`${url}/api/nothing?code=${secret}`);
    const wrongMethod = await fetch(`${url}/api/renewals`, { method: 'DELETE' });
    expect([unknown.status, (await json(unknown))['code']]).toEqual([404, 'not_found']);
    expect([wrongMethod.status, (await json(wrongMethod))['code']]).toEqual([
      405,
      'method_not_allowed',
    ]);
    expect(wrongMethod.headers.get('allow')).toBe('POST');
    expect(lines.join('')).not.toContain(secret);
  });

  it.each([
    ['no HTTP', 'NONSENSE\r\n\r\n', 400, 'invalid_request'],
    ['an unknown method', 'FOO / HTTP/1.1\r\nHost: x\r\n\r\n', 400, 'invalid_request'],
    [
      'two lengths',
      `POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n`,
      400,
      'invalid_request',
    ],
    [
      'a long header',
      `GET / HTTP/1.1\r\nHost: x\r\nCookie: ${'x'.repeat(20_000)}\r\n\r\n`,
      431,
      'headers_too_large',
    ],
    [
      'a long address',
      `GET /${'x'.repeat(20_000)} HTTP/1.1\r\nHost: x\r\n\r\n`,
      431,
      'headers_too_large',
    ],
  ])('is told in the same shape where it is %s', async (_, bytes, status, code) => {
    const { url } = await open();
    const [head = '', body = ''] = (await sendRaw(url, bytes)).split('\r\n\r\n');
    expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    for (const header of [
      'Content-Type: application/problem+json',
      'Cache-Control: no-store',
      'Referrer-Policy: no-referrer',
      'X-Content-Type-Options: nosniff',
    ]) {
      expect(head).toContain(header);
    }
    const problem = JSON.parse(body) as { instance: string };
    expect(problem).toMatchObject({ status, code });
    expect(head).toContain(`X-Request-Id: ${problem.instance}`);
    expect(logged().at(-1)).toMatchObject({ problem: code, referenceId: problem.instance });
  });

  it('is not told into an answer that has begun', async () => {
    const { url } = await open({ routes: [streaming(new Readable({ read: () => undefined }))] });
    const answer = await sendRaw(
      url,
      'GET /api/stream HTTP/1.1\r\nHost: x\r\n\r\nNONSENSE\r\n\r\n',
    );
    expect(answer.match(/HTTP\/1\.1/g)).toHaveLength(1);
  });

  it('is none where somebody expects what nobody knows', async () => {
    const { url } = await open();
    const answer = await sendRaw(
      url,
      'GET /healthz HTTP/1.1\r\nHost: x\r\nExpect: wonders\r\nConnection: close\r\n\r\n',
    );
    expect(answer).toMatch(/^HTTP\/1.1 200 /);
  });

  it('says nothing of a fault of ours, which is logged once with its cause', async () => {
    const { url } = await open();
    const response = await post(
      authorization(url),
      { pin: '3333' },
      { 'x-request-id': 'ref-12345' },
    );
    const answer = await response.text();
    expect(response.status).toBe(500);
    expect(answer).not.toContain('PIN could not');
    const faults = logged().filter((line) => line['level'] === 'error');
    expect(faults).toMatchObject([
      { referenceId: 'ref-12345', err: { message: 'the PIN could not be sent' } },
    ]);
    expect(lines.join('')).not.toContain('3333');
  });

  it('is logged with its cause where an outside part failed', async () => {
    const { url } = await open();
    expect((await post(authorization(url), { pin: '2222' })).status).toBe(503);
    expect(logged().filter((line) => line['level'] === 'warn')).toMatchObject([
      { err: { problem: 'ca_unreachable', cause: { message: 'socket hang up' } } },
    ]);
  });

  it.each(['4444', '5555'])(
    'is an answer that differs from its schema, outside production (%s)',
    async (pin) => {
      const { url } = await open();
      expect((await post(authorization(url), { pin })).status).toBe(500);
      const { url: production } = await open({ checkResponses: false });
      expect((await post(authorization(production), { pin })).status).toBe(201);
    },
  );

  it('may be refused by middleware of the service in the same shape', async () => {
    const { url } = await open({
      extraMiddleware: [
        () => {
          throw new Problem('cross_site_request');
        },
      ],
    });
    const response = await fetch(`${url}/healthz`);
    expect([response.status, (await json(response))['code']]).toEqual([403, 'cross_site_request']);
  });
});

describe('the access line', () => {
  it('tells method, pattern, status, time and reference id, and never the URL', async () => {
    const { url } = await open();
    await fetch(`${url}/api/timeline?format=${secret}`, {
      headers: { 'x-request-id': 'ref-12345' },
    });
    expect(logged().filter((line) => line['msg'] === 'request')).toEqual([
      expect.objectContaining({
        level: 'info',
        service: 'test',
        referenceId: 'ref-12345',
        method: 'GET',
        route: '/api/timeline',
        status: 400,
        ms: expect.any(Number) as number,
        problem: 'invalid_request',
      }),
    ]);
    expect(lines.join('')).not.toContain(secret);
  });

  it('is quiet for what machines ask every few seconds', async () => {
    const { url } = await open();
    await fetch(`${url}/healthz`);
    expect(logged()).toMatchObject([{ level: 'debug', route: '/healthz' }]);
  });
});

describe('the API description', () => {
  it('is served, and real answers fit the schemas in it', async () => {
    const { url } = await open();
    const document = (await (await fetch(`${url}/openapi.json`)).json()) as {
      openapi: string;
      paths: Record<string, Record<string, { responses: Record<string, unknown> }>>;
    };
    expect(document.openapi).toBe('3.1.0');
    expect(Object.keys(document.paths)).toEqual([
      '/api/grants/{id}',
      '/api/grants/{id}/authorization',
      '/api/renewals',
      '/api/bare',
      '/api/timeline',
      '/api/events',
      '/healthz',
      '/readyz',
      '/metrics',
      '/openapi.json',
    ]);
    const ajv = new Ajv2020({ strict: false });
    addFormats.default(ajv);
    ajv.addSchema(document, 'api');
    const validate = (path: string, method: string, status: number, type: string) => {
      const at = ['paths', path, method, 'responses', String(status), 'content', type, 'schema'];
      const pointer = at.map((part) => part.replaceAll('~', '~0').replaceAll('/', '~1'));
      const check = ajv.getSchema(`api#/${pointer.map(encodeURIComponent).join('/')}`);
      if (check === undefined) throw new Error(`nothing at ${pointer.join('/')}`);
      return check;
    };
    const headers = { authorization: 'Bearer good' };
    const found = await json(await fetch(`${url}/api/grants/${id}`, { headers }));
    const refused = await json(await fetch(`${url}/api/grants/${id}`));
    const isGrant = validate('/api/grants/{id}', 'get', 200, 'application/json');
    const isRefusal = validate('/api/grants/{id}', 'get', 401, 'application/problem+json');
    expect([isGrant(found), isGrant({ ...found, grant: { id } })]).toEqual([true, false]);
    expect([isRefusal(refused), isRefusal({ ...refused, code: 'not_found' })]).toEqual([
      true,
      false,
    ]);
  });

  it('names parameters, bodies, sign-in and every problem by status', async () => {
    const { app } = await open();
    const { paths, components } = app.openApi as {
      paths: Record<string, Record<string, Record<string, unknown>>>;
      components: { securitySchemes: unknown; schemas: Record<string, unknown> };
    };
    expect(components.securitySchemes).toEqual({ apiKey: bearer.definition });
    expect(Object.keys(components.schemas)).toEqual(['Problem', 'Grant']);
    expect(paths['/api/grants/{id}']?.['get']).toMatchObject({
      security: [{ apiKey: [] }],
      parameters: [
        { name: 'id', in: 'path', required: true, schema: { format: 'uuid' } },
        { name: 'limit', in: 'query', required: false, schema: { default: 5, maximum: 10 } },
      ],
    });
    const authorization = paths['/api/grants/{id}/authorization']?.['post'];
    expect(authorization).toMatchObject({
      requestBody: {
        required: true,
        content: { 'application/json': { schema: { additionalProperties: false } } },
      },
    });
    expect(paths['/api/renewals']?.['post']).toMatchObject({ requestBody: { required: false } });
    expect(Object.keys(authorization?.['responses'] ?? {})).toEqual([
      '201',
      '204',
      '400',
      '404',
      '413',
      '415',
      '422',
      '429',
      '500',
      '503',
    ]);
  });

  it.each([
    ['a path and parameters that differ', { path: '/a/:id', params: z.object({ ID: z.string() }) }],
    ['a body that takes unknown fields', { path: '/a', body: z.object({ a: z.string() }) }],
    ['an answer with the status of a problem', { path: '/a', responses: { 500: empty('Oh') } }],
    ['a route that exists already', { path: '/healthz', method: 'GET' as const }],
  ])('cannot be made of %s', async (_, declaration: object) => {
    const route = defineRoute({
      method: 'POST',
      path: '/a',
      summary: 'Wrong',
      responses: { 204: empty('Done') },
      ...declaration,
    }).handle(() => ({ status: 204 }));
    await expect(open({ routes: [route] })).rejects.toThrow(/ \/(a|healthz)/);
  });
});

describe('readiness', () => {
  it('is told for each dependency, and a failing or silent one makes the service not ready', async () => {
    const failing = Object.assign(new Error(`connect to ${secret}`), { code: 'ECONNREFUSED' });
    const { url } = await open({
      dependencies: {
        database: () => Promise.resolve('18.1'),
        kafka: () => Promise.reject(failing),
        picture: () => Promise.reject(new Problem('picture_stale')),
        temporal: () => new Promise<undefined>(() => undefined),
      },
      dependencyDeadlineMs: 20,
    });
    const response = await fetch(`${url}/readyz`);
    const latencyMs = expect.any(Number) as number;
    const required = { required: true };
    expect([response.status, await json(response)]).toEqual([
      503,
      {
        status: 'not_ready',
        dependencies: {
          database: { ok: true, ...required, detail: '18.1', latencyMs },
          kafka: { ok: false, ...required, detail: 'ECONNREFUSED', latencyMs },
          picture: {
            ...{ ok: false, ...required, latencyMs },
            detail: new Problem('picture_stale').message,
          },
          temporal: { ok: false, ...required, detail: 'no answer within 20 ms', latencyMs },
        },
      },
    ]);
    await fetch(`${url}/readyz`);
    const warnings = logged().filter((line) => line['level'] === 'warn');
    expect(warnings.map((line) => line['dependency'])).toEqual(['kafka', 'picture', 'temporal']);
  });

  it('holds without a part that is told but not required', async () => {
    const { url } = await open({
      dependencies: {
        database: () => Promise.resolve(undefined),
        ca: { required: false, check: () => Promise.reject(new NotReady('did not answer')) },
      },
    });
    const response = await fetch(`${url}/readyz`);
    expect([response.status, await json(response)]).toMatchObject([
      200,
      {
        status: 'ready',
        dependencies: {
          database: { ok: true, required: true },
          ca: { ok: false, required: false, detail: 'did not answer' },
        },
      },
    ]);
  });

  it('is asked of each part once, however many ask at the same time', async () => {
    let asked = 0;
    let answer: () => void = () => undefined;
    const { url } = await open({
      dependencies: {
        database() {
          asked += 1;
          return new Promise((resolve) => {
            answer = () => {
              resolve(undefined);
            };
          });
        },
      },
      dependencyDeadlineMs: 20_000,
    });
    const all = Promise.all(Array.from({ length: 5 }, () => fetch(`${url}/readyz`)));
    await waitUntil(() => asked > 0, { what: 'nobody asked', deadlineMs: 5_000 });
    // All five have arrived when the one after them was answered.
    await fetch(`${url}/healthz`);
    answer();
    expect((await all).map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    expect(asked).toBe(1);
  });

  it('returns, and is logged, when the dependency does', async () => {
    let isUp = false;
    const { url } = await open({
      dependencies: {
        database: () => (isUp ? Promise.resolve(undefined) : Promise.reject(new Error('down'))),
      },
    });
    expect((await fetch(`${url}/readyz`)).status).toBe(503);
    isUp = true;
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    expect(lines.join('')).toContain('dependency is back');
  });
});

describe('metrics', () => {
  it('count requests by route pattern and status', async () => {
    const { url } = await open();
    await fetch(`${url}/api/grants/${id}`);
    await fetch(`${url}/api/${id}`);
    const figures = await (await fetch(`${url}/metrics`)).text();
    expect(figures).toContain(
      'http_request_duration_seconds_count{method="GET",route="/api/grants/:id",status="401"} 1',
    );
    expect(figures).toContain('route="unmatched",status="404"} 1');
    expect(figures).not.toContain(id);
  });
});

describe('figures', () => {
  it('are told without one that cannot be read, which is logged', async () => {
    const metrics = new Registry();
    const fine = new Gauge({ name: 'fine', help: 'Fine.', registers: [metrics] });
    fine.set(7);
    new Gauge({
      ...{ name: 'broken', help: 'Broken.', registers: [metrics] },
      collect: () => Promise.reject(new Error('no database')),
    });
    const { url } = await open({ metrics });
    const response = await fetch(`${url}/metrics`);
    const text = await response.text();
    expect(response.status).toBe(200);
    expect(text).toContain('fine 7\n');
    expect(text).toContain('# TYPE http_request_duration_seconds histogram');
    expect(text).not.toContain('broken');
    expect(logged().find(({ level }) => level === 'warn')).toMatchObject({ figure: 'broken' });
  });
});

describe('listening', () => {
  it('names the variable to change when the port is taken', async () => {
    const { app, listening } = await open();
    await expect(app.listen({ port: listening.port, portVariable: 'GATE_PORT' })).rejects.toThrow(
      `Port ${String(listening.port)} is taken; set GATE_PORT to another one.`,
    );
  });

  it('ends open streams when it stops', async () => {
    const { listening, url } = await open();
    const response = await fetch(`${url}/api/events`);
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    stream.write('data: 1\n\n');
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    expect(new TextDecoder().decode((await reader.read()).value)).toBe('data: 1\n\n');
    await listening.stop(60_000);
    await expect(reader.read()).rejects.toThrow();
  });

  it('cuts off whoever holds a request open beyond the grace time', async () => {
    const { listening } = await open();
    const socket = connect(listening.port, '127.0.0.1');
    await once(socket, 'connect');
    socket.write(
      'POST /api/renewals HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{',
    );
    const closed = once(socket, 'close');
    socket.on('error', () => undefined);
    socket.resume();
    // The request has begun when the one after it was answered.
    await fetch(`${listening.url}/healthz`);
    await listening.stop(20);
    expect(lines.join('')).toContain('requests under way were cut off');
    await closed;
    expect(socket.destroyed).toBe(true);
    await expect(fetch(`${listening.url}/healthz`)).rejects.toThrow();
  });

  it('finishes what is under way when it stops, refuses what comes over a connection that was kept, and lets nobody in any more', async () => {
    let finish: () => void = () => undefined;
    const slow = defineRoute({
      method: 'GET',
      path: '/slow',
      summary: 'Slow',
      responses: { 204: empty('Done') },
    }).handle(
      () =>
        new Promise((resolve) => {
          finish = () => {
            resolve({ status: 204 });
          };
        }),
    );
    const quick = defineRoute({
      method: 'POST',
      path: '/quick',
      summary: 'Quick',
      responses: { 204: empty('Done') },
    }).handle(() => ({ status: 204 }));
    const { listening } = await open({ routes: [slow, quick] });
    const ask = (method: string, path: string) =>
      `${method} ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n`;
    const [busy, kept] = [await talk(listening.port), await talk(listening.port)];
    busy.socket.write(ask('GET', '/slow'));
    // Half a request: so the connection is not idle, and is kept, when the service stops.
    kept.socket.write(ask('POST', '/quick'));
    await kept.until('204 No Content');
    kept.socket.write('POST /quick HTTP/1.1\r\nHost: x\r\n');
    await fetch(`${listening.url}/healthz`);

    const stopped = listening.stop(20_000);
    kept.socket.write('Content-Length: 0\r\n\r\n');
    await kept.until('503 Service Unavailable');
    expect(kept.heard()).toMatch(/Connection: close/i);
    expect(kept.heard()).toContain('"code":"unavailable"');
    await expect(fetch(`${listening.url}/healthz`)).rejects.toThrow();
    finish();
    await busy.until('204 No Content');
    expect(busy.heard()).toMatch(/Connection: close/i);
    await stopped;
  });
});

/** A connection of its own, to see what is said on it. */
async function talk(port: number) {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  let text = '';
  socket.on('data', (bytes: Buffer) => (text += bytes.toString()));
  return {
    socket,
    heard: () => text,
    until: (words: string) =>
      waitUntil(() => text.includes(words), { what: `"${words}" in ${text}`, deadlineMs: 10_000 }),
  };
}
