import type { Readable } from 'node:stream';
import type { Context } from 'koa';
import type { Logger } from 'pino';
import { z } from 'zod';
import type { ProblemCode } from '../../domain/errors.ts';

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** An answer that is not just JSON: nothing at all (neither member), a text of that content type, or JSON or text as the handler decides. */
export type AnswerSpec = {
  readonly description: string;
  readonly json?: z.ZodType;
  /** Content type of a reply given as `text`, such as `text/csv` or `text/event-stream`. */
  readonly text?: string;
};
export type Responses = Readonly<Record<number, z.ZodType | AnswerSpec>>;

export const empty = (description: string) => ({ description });
export const text = (contentType: string, description: string) => ({
  description,
  text: contentType,
});

type Headers = Readonly<Record<string, string | string[]>>;
type JsonReply<S, J> = { readonly status: S; readonly body: J; readonly headers?: Headers };
type TextReply<S> = {
  readonly status: S;
  readonly text: string | Uint8Array | Readable;
  readonly headers?: Headers;
};
type EmptyReply<S> = { readonly status: S; readonly headers?: Headers };
type ReplyTo<S, A> = A extends z.ZodType
  ? JsonReply<S, z.output<A>>
  : | (A extends { json: infer J extends z.ZodType } ? JsonReply<S, z.output<J>> : never)
    | (A extends { text: string } ? TextReply<S> : never)
    | (A extends { json: z.ZodType } | { text: string } ? never : EmptyReply<S>);

/** What a handler may answer: one of the declared statuses, with the body declared for it. */
export type Reply<R extends Responses> = {
  [S in keyof R & number]: ReplyTo<S, R[S]>;
}[keyof R & number];
export type AnyReply = JsonReply<number, unknown> | TextReply<number> | EmptyReply<number>;

/** How a route learns who is asking. It runs before anything of the request is judged, so that a stranger learns nothing. */
export type Authentication<Caller> = {
  /** Name and definition of the OpenAPI security scheme. */
  readonly scheme: string;
  readonly definition: Readonly<Record<string, unknown>>;
  readonly problems: readonly ProblemCode[];
  /** Throws one of `problems` when the caller is not known. */
  authenticate(ctx: Context): Promise<Caller>;
};

export type HandlerInput<Params, Query, Body, Caller> = {
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  readonly caller: Caller;
  /** For cookies and the socket; parsed input is in the members above. */
  readonly ctx: Context;
  /** Logs with the reference id of this request. */
  readonly log: Logger;
  readonly referenceId: string;
};

type Declared = {
  readonly method: Method;
  /** As in `/api/certificates/:id`; its names are those of `params`. */
  readonly path: string;
  readonly summary: string;
  readonly description?: string;
  readonly tags?: readonly string[];
  /** What the handler may throw; those of the kit itself (faults, sign-in, 500) are added. */
  readonly problems?: readonly ProblemCode[];
  readonly bodyLimitBytes?: number;
  /** Asked every few seconds by machines: logged at `debug`. */
  readonly quiet?: boolean;
  /** Whatever stands in the query is passed over, because others decide what they add to it. */
  readonly anyQuery?: boolean;
};

export type Route = Declared & {
  readonly params?: z.ZodType;
  readonly query?: z.ZodType;
  readonly body?: z.ZodType;
  readonly responses: Responses;
  readonly authentication?: Authentication<unknown>;
  handler(input: HandlerInput<unknown, unknown, unknown, unknown>): Promise<AnyReply> | AnyReply;
};

type Declaration<
  R extends Responses,
  P extends z.ZodType,
  Q extends z.ZodType,
  B extends z.ZodType,
  C,
> = Declared & {
  /** Path parameters that do not fit are an address that does not exist: 404 `not_found`. */
  readonly params?: P;
  /** Values are strings as they stand in the URL (arrays where repeated). Without a schema no parameter is taken. */
  readonly query?: Q;
  /** A strict object; `.optional()` where the request may come without a body. Without a schema POST takes none, or an empty object. */
  readonly body?: B;
  readonly responses: R;
  readonly authentication?: Authentication<C>;
};

/**
 * Declares a route: `defineRoute({ method, path, ... }).handle(async ({ params }) => ({ status: 200, body }))`. The handler is typed by the
 * schemas, and the OpenAPI document is made from the same ones. Two calls, because TypeScript would widen the literals of a handler that
 * stands in the same object as the schemas which type it.
 */
export const defineRoute = <
  const R extends Responses,
  P extends z.ZodType = z.ZodUndefined,
  Q extends z.ZodType = z.ZodUndefined,
  B extends z.ZodType = z.ZodUndefined,
  C = undefined,
>(
  declaration: Declaration<R, P, Q, B, C>,
) => ({
  handle(
    handler: (
      input: HandlerInput<z.output<P>, z.output<Q>, z.output<B>, C>,
    ) => Promise<Reply<R>> | Reply<R>,
  ): Route {
    // What the route parses is what the handler takes: serve() in http.ts keeps that promise.
    return { ...declaration, handler: handler };
  },
});

/** The answer declared for a status, a bare schema being JSON. */
export const answerSpecOf = (declared: z.ZodType | AnswerSpec): AnswerSpec =>
  '_zod' in declared ? { description: 'As asked.', json: declared } : declared;

const nothing = z.strictObject({});

/** What the query has to fit, undefined where anything may stand in it. */
export const querySchemaOf = ({ query, anyQuery = false }: Route): z.ZodType | undefined =>
  query ?? (anyQuery ? undefined : nothing);

/** What the body has to fit. What is sent along with a method that has none by its nature is not looked at. */
export const bodySchemaOf = ({ method, body }: Route): z.ZodType | undefined =>
  body ?? (method === 'POST' ? nothing.optional() : undefined);

/**
 * Every problem a route can answer with: its own and those of the kit, which answers `unavailable` while the process stops, and the time is not known.
 */
export const problemsOf = (route: Route): ProblemCode[] => {
  const codes = new Set<ProblemCode>(route.problems);
  route.authentication?.problems.forEach((code) => codes.add(code));
  // What only reads is answered wherever the question comes from: another site cannot read the answer.
  if (route.method === 'GET') codes.delete('cross_site_request');
  if (route.params !== undefined) codes.add('not_found');
  if (querySchemaOf(route) ?? bodySchemaOf(route)) codes.add('invalid_request');
  if (bodySchemaOf(route)) codes.add('unsupported_media_type').add('body_too_large');
  // Health, and the page for browsers that come back from a CA, have a 503 in words of their own.
  if (!(503 in route.responses)) codes.add('unavailable');
  return [...codes.add('internal')];
};
