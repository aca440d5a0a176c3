import { randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { isDeepStrictEqual } from 'node:util';
import Router, { type RouterContext } from '@koa/router';
import Koa from 'koa';
import type { Logger } from 'pino';
import { Histogram, type Registry } from 'prom-client';
import { z } from 'zod';
import { Problem, type ProblemCode } from '../../domain/errors.ts';
import { answerHeaders } from './answer-headers.ts';
import { createHealthRoutes, type Dependencies } from './health.ts';
import { statusByCode } from './http-status.ts';
import { systemCodeOf } from './log.ts';
import { answerMalformedRequests } from './malformed-requests.ts';
import { buildOpenApi, type OpenApiDocument } from './openapi.ts';
import { presentProblem, problemMediaType } from './problem-response.ts';
import { parseRequest } from './request-input.ts';
import { answerSpecOf, defineRoute, type AnyReply, type Route } from './route.ts';

/** What the kit knows of a request; `ctx.state` of every middleware. */
type RequestState = {
  referenceId: string;
  log: Logger;
  /** Pattern for log and metrics, never the URL itself; middleware that answers by itself may name its own, from a small set. */
  route: string;
  quiet: boolean;
  problem?: ProblemCode;
};
export type Middleware = Koa.Middleware<RequestState>;
type Context = Parameters<Middleware>[0];

export type HttpAppOptions = {
  readonly log: Logger;
  readonly metrics: Registry;
  readonly title: string;
  readonly version: string;
  readonly routes: readonly Route[];
  /** Asked by /readyz. */
  readonly dependencies?: Dependencies;
  readonly dependencyDeadlineMs?: number;
  /** Runs before the routes; a Problem it throws is answered like theirs. It may answer what is no API (pages, files) and set other headers. */
  readonly extraMiddleware?: readonly Middleware[];
  /** Outside production: an answer that differs from its schema is a fault, so that the document is true. */
  readonly checkResponses: boolean;
  /** How many proxies of our own every request comes through: so many addresses at the end of X-Forwarded-For are theirs to write. 0 believes none. */
  readonly trustedProxies?: number;
  /** `Strict-Transport-Security` of every answer, where browsers come over https. */
  readonly strictTransportSecurity?: string | undefined;
};

type ListenOptions = {
  readonly port: number;
  readonly host?: string;
  /** Named in the error when the port is taken. */
  readonly portVariable?: string;
};
export type Listening = {
  readonly url: string;
  readonly port: number;
  /** Takes no new request, ends streams, lets the others finish for `graceMs`, then cuts them off. */
  stop(graceMs?: number): Promise<void>;
};
export type HttpApp = {
  readonly openApi: OpenApiDocument;
  listen(options: ListenOptions): Promise<Listening>;
};

const saneReferenceId = /^[A-Za-z0-9._-]{8,64}$/;

/** An HTTP service made of declared routes, with /healthz, /readyz, /metrics and /openapi.json beside them. Throws when declarations contradict each other. */
export const createHttpApp = (options: HttpAppOptions): HttpApp => {
  const { log, metrics, title, version } = options;
  const health = createHealthRoutes({
    metrics,
    dependencies: options.dependencies ?? {},
    deadlineMs: options.dependencyDeadlineMs ?? 2000,
  });
  const openApiRoute = defineRoute({
    method: 'GET',
    path: '/openapi.json',
    summary: 'This description',
    anyQuery: true,
    responses: { 200: z.record(z.string(), z.unknown()) },
  }).handle(() => ({ status: 200, body: openApi }));
  const routes = [...options.routes, ...health, openApiRoute];
  const openApi = buildOpenApi({ title, version, routes });

  const open: Open = { streams: new Set(), isStopping: false };
  const router = new Router<RequestState>({ sensitive: true });
  for (const route of routes)
    router.register(route.path, [route.method], serve(route, options.checkResponses, open));

  const { trustedProxies = 0 } = options;
  // Without a limit Koa would believe what the browser itself wrote at the beginning.
  const app = new Koa<RequestState>({ proxy: trustedProxies > 0, maxIpsCount: trustedProxies });
  app.on('error', (error: unknown) => {
    // Whoever read a stream may leave at any time.
    const level = systemCodeOf(error) === 'ERR_STREAM_PREMATURE_CLOSE' ? 'debug' : 'error';
    log[level]({ err: error }, 'answer broke off');
  });
  app.use(identify(log, options.strictTransportSecurity, open));
  app.use(observe(metrics));
  app.use(answerProblems);
  for (const middleware of options.extraMiddleware ?? []) app.use(middleware);
  app.use(router.routes());
  app.use(refuseUnmatched(router));

  return {
    openApi,
    listen: (listenOptions) => listen(app, open, options, listenOptions),
  };
};

/** What there is of connections, and whether there is to be more. */
type Open = { readonly streams: Set<Readable>; isStopping: boolean };

const identify =
  (log: Logger, strictTransportSecurity: string | undefined, open: Open): Middleware =>
  async (ctx, next) => {
    const given = ctx.get('x-request-id');
    const referenceId = saneReferenceId.test(given) ? given : randomUUID();
    ctx.state.referenceId = referenceId;
    ctx.state.log = log.child({ referenceId });
    ctx.state.route = 'unmatched';
    ctx.state.quiet = false;
    ctx.set(answerHeaders(referenceId, strictTransportSecurity));
    await next();
    // A connection that is kept would bring more requests, and hold the process up.
    if (open.isStopping) ctx.set('Connection', 'close');
  };

const observe = (metrics: Registry): Middleware => {
  const duration = new Histogram({
    name: 'http_request_duration_seconds',
    help: 'Time until the answer was ready, by route pattern.',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers: [metrics],
  });
  return async (ctx, next) => {
    const startedAt = performance.now();
    await next();
    const ms = performance.now() - startedAt;
    const { route, problem, quiet, log } = ctx.state;
    const { method, status } = ctx;
    duration.observe({ method, route, status }, ms / 1000);
    log[quiet && status < 500 ? 'debug' : 'info'](
      { method, route, status, ms: Math.round(ms * 10) / 10, ...(problem && { problem }) },
      'request',
    );
  };
};

const answerProblems: Middleware = async (ctx, next) => {
  try {
    await next();
  } catch (error) {
    const problem =
      error instanceof Problem ? error : new Problem('internal', {}, { cause: error });
    logProblem(ctx, problem);
    const { status, headers, body } = presentProblem(problem, ctx.state.referenceId);
    ctx.state.problem = problem.code;
    ctx.status = status;
    ctx.body = body;
    ctx.set(headers);
    ctx.type = problemMediaType;
  }
};

/** A refusal is told by the access line; only what is wrong on our side or at an outside part needs its cause in the log. */
const logProblem = (ctx: Context, problem: Problem): void => {
  const { log, route } = ctx.state;
  if (problem.code === 'internal')
    log.error({ route, err: problem.cause ?? problem }, 'request failed');
  else if (statusByCode[problem.code] >= 500)
    log.warn({ route, err: problem }, 'request not carried out');
};

const serve =
  (route: Route, checkResponses: boolean, open: Open) =>
  async (ctx: RouterContext<RequestState>): Promise<void> => {
    const { referenceId, log } = ctx.state;
    ctx.state.route = route.path;
    ctx.state.quiet = route.quiet ?? false;
    // Came over a connection that was kept. Nothing was done, so whoever asks may ask another process.
    if (open.isStopping && !(503 in route.responses))
      throw new Problem('unavailable', { retryAfterSeconds: 1 });
    const caller = await route.authentication?.authenticate(ctx);
    const input = await parseRequest(route, ctx, ctx.params);
    const reply = await route.handler({ ...input, caller, ctx, log, referenceId });
    if (checkResponses) checkReply(route, reply);
    send(ctx, route, reply);
    if ('text' in reply && reply.text instanceof Readable) {
      const stream = reply.text;
      // Whoever waits for events sees that he is connected before the first one comes.
      ctx.flushHeaders();
      open.streams.add(stream);
      stream.once('close', () => open.streams.delete(stream));
    }
  };

const send = (ctx: RouterContext<RequestState>, route: Route, reply: AnyReply): void => {
  ctx.set({ ...reply.headers });
  if ('text' in reply) {
    const declared = route.responses[reply.status];
    const contentType = declared && answerSpecOf(declared).text;
    ctx.set('Content-Type', contentType ?? 'text/plain; charset=utf-8');
    ctx.body = reply.text instanceof Uint8Array ? Buffer.from(reply.text) : reply.text;
  } else if ('body' in reply) {
    ctx.body = JSON.stringify(reply.body);
    ctx.type = 'application/json';
  } else {
    ctx.body = null;
    ctx.remove('Content-Type');
  }
  // After the body: koa makes a status of its own of an empty one.
  ctx.status = reply.status;
};

/** Compares the answer as it goes over the wire; a field that the schema does not know is a leak, and a fault too. */
const checkReply = (route: Route, reply: AnyReply): void => {
  const fault = (what: string) =>
    new Error(`${route.method} ${route.path} answered ${String(reply.status)} ${what}`);
  const declared = route.responses[reply.status];
  if (declared === undefined) throw fault('which is not declared');
  const { json, text } = answerSpecOf(declared);
  if ('text' in reply) {
    if (text === undefined) throw fault('with a text that is not declared');
  } else if ('body' in reply) {
    const sent = JSON.parse(JSON.stringify(reply.body)) as unknown;
    const parsed = json?.safeParse(sent);
    if (!parsed?.success)
      throw fault(
        `not as declared: ${parsed ? z.prettifyError(parsed.error) : 'no JSON is declared'}`,
      );
    if (!isDeepStrictEqual(parsed.data, sent)) throw fault('with fields that are not declared');
  } else if (json ?? text) throw fault('without a body');
};

const refuseUnmatched =
  (router: Router<RequestState>): Middleware =>
  (ctx) => {
    const methods = new Set(
      router.match(ctx.path, ctx.method).path.flatMap((layer) => layer.methods),
    );
    if (methods.size === 0) throw new Problem('not_found');
    throw new Problem('method_not_allowed', { allow: [...methods] });
  };

/** Far above what a process serves; beyond it connections are closed as they come, so that memory has a limit. */
const mostConnections = 5_000;
/** Longer than any answer takes and than events are silent. */
const silentConnectionMs = 120_000;

const listen = async (
  app: Koa<RequestState>,
  open: Open,
  { log, strictTransportSecurity }: HttpAppOptions,
  { port, host = '127.0.0.1', portVariable }: ListenOptions,
): Promise<Listening> => {
  // Whoever sends a request byte by byte does not hold a connection for ever.
  const server = createServer(
    { requestTimeout: 30_000, headersTimeout: 10_000 },
    (...pair) => void app.callback()(...pair),
  );
  server.maxConnections = mostConnections;
  // Whoever does not read his answer does not hold a connection for ever either.
  server.setTimeout(silentConnectionMs);
  server.on('drop', () => {
    log.warn({ mostConnections }, 'a connection was refused: there are too many');
  });
  answerMalformedRequests(server, log, strictTransportSecurity);
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => {
      const isTaken = systemCodeOf(error) === 'EADDRINUSE';
      const advice = portVariable === undefined ? '' : `; set ${portVariable} to another one`;
      reject(
        isTaken ? new Error(`Port ${String(port)} is taken${advice}.`, { cause: error }) : error,
      );
    });
    server.listen(port, host, resolve);
  });
  const address = server.address() as AddressInfo;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${String(address.port)}`,
    port: address.port,
    stop: (graceMs = 5000) => stop(server, open, log, graceMs),
  };
};

const stop = (server: Server, open: Open, log: Logger, graceMs: number): Promise<void> =>
  new Promise((resolve) => {
    open.isStopping = true;
    const cutOff = setTimeout(() => {
      log.warn({ graceMs }, 'requests under way were cut off');
      server.closeAllConnections();
    }, graceMs);
    server.close(() => {
      clearTimeout(cutOff);
      resolve();
    });
    open.streams.forEach((stream) => stream.destroy());
  });
