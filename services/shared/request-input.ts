import type { IncomingMessage } from 'node:http';
import type { Context } from 'koa';
import type { z } from 'zod';
import { Problem } from '../../domain/errors.ts';
import { bodySchemaOf, querySchemaOf, type Route } from './route.ts';

const defaultBodyLimitBytes = 64 * 1024;
const faultLimit = 20;
/** What the client itself wrote (a name of a field) is repeated no longer than this. */
const nameLimit = 64;

type Fault = { readonly path: string; readonly message: string };
type RequestInput = { readonly params: unknown; readonly query: unknown; readonly body: unknown };

/**
 * Parses all that a route takes from a request. Faults of query and body are listed together, by the name of the field and never with its
 * value. Path parameters that do not fit are an address that does not exist.
 */
export const parseRequest = async (
  route: Route,
  ctx: Context,
  pathParams: Readonly<Record<string, string>>,
): Promise<RequestInput> => {
  const params = route.params?.safeParse(pathParams);
  if (params?.success === false || !Object.values(pathParams).every(isStorable))
    throw new Problem('not_found');
  const query = querySchemaOf(route)?.safeParse({ ...ctx.query });
  if (query !== undefined && !isStorable(Object.values(ctx.query).flat().join(' ')))
    throw notText('query');
  const body = bodySchemaOf(route)?.safeParse(
    await readJson(ctx, route.bodyLimitBytes ?? defaultBodyLimitBytes),
  );
  const faults = [...faultsOf('query', query?.error), ...faultsOf('body', body?.error)];
  if (faults.length > 0)
    throw new Problem('invalid_request', { faults: faults.slice(0, faultLimit) });
  return { params: params?.data, query: query?.data, body: body?.data };
};

const faultsOf = (source: 'query' | 'body', error: z.ZodError | undefined): Fault[] =>
  (error?.issues ?? []).flatMap((issue) => {
    const at = [source, ...issue.path.map((part) => String(part).slice(0, nameLimit))].join('.');
    if (issue.code !== 'unrecognized_keys') return { path: at, message: issue.message };
    return issue.keys.map((key) => ({
      path: `${at}.${key.slice(0, nameLimit)}`,
      message: 'There is no such field.',
    }));
  });

/** PostgreSQL stores no NUL, and no half of a surrogate pair in JSON: what holds one was never ours, and is no fault of ours either. */
const isStorable = (value: string): boolean => !value.includes('\0') && !/\p{Cs}/u.test(value);

const notText = (path: string) =>
  new Problem('invalid_request', {
    faults: [{ path, message: 'A text holds what is no character.' }],
  });

/** The body as JSON, undefined when none was sent. */
const readJson = async (ctx: Context, limitBytes: number): Promise<unknown> => {
  const isSent =
    ctx.req.headers['transfer-encoding'] !== undefined || Number(ctx.get('content-length')) > 0;
  if (!isSent) return undefined;
  const encoding = ctx.get('content-encoding');
  if (ctx.request.type !== 'application/json' || (encoding !== '' && encoding !== 'identity'))
    throw new Problem('unsupported_media_type');
  if (Number(ctx.get('content-length')) > limitBytes)
    throw new Problem('body_too_large', { limitBytes });
  const bytes = await readBytes(ctx.req, limitBytes);
  const found: { foreign: boolean } = { foreign: false };
  try {
    const json: unknown = JSON.parse(
      new TextDecoder('utf-8', { fatal: true }).decode(bytes),
      (_name, value: unknown) => {
        if (typeof value === 'string' && !isStorable(value)) found.foreign = true;
        return value;
      },
    );
    if (!found.foreign) return json;
  } catch {
    // The parser's message quotes the body, which may hold a password: it is not even kept as the cause.
    throw new Problem('invalid_request', {
      faults: [{ path: 'body', message: 'This is not valid JSON.' }],
    });
  }
  throw notText('body');
};

/** Listeners instead of an async iterator: leaving an iterator early destroys the socket, and the 413 would never arrive. */
const readBytes = (request: IncomingMessage, limitBytes: number): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const cutOff = () => {
      reject(
        new Problem('invalid_request', {
          faults: [{ path: 'body', message: 'The body was cut off.' }],
        }),
      );
    };
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= limitBytes) chunks.push(chunk);
      else reject(new Problem('body_too_large', { limitBytes }));
    });
    request.once('end', () => {
      resolve(Buffer.concat(chunks));
    });
    request.once('error', cutOff);
    request.once('close', cutOff);
  });
