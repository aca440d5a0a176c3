import { setTimeout as delay } from 'node:timers/promises';
import { classifyRefusal } from './ca-classification.ts';
import { CaError } from './ca-error.ts';
import { cleanText } from './ca-text.ts';

export interface CaTimeouts {
  /** Deadline of one HTTP call, headers and body. */
  readonly callMs: number;
  /** Deadline of a credential authorization: a CA may wait for a person's phone. */
  readonly authorizeMs: number;
  /** Deadline over all tries of a call that may be repeated. */
  readonly readTotalMs: number;
  /** Wait before the second try; doubled each time, with jitter. */
  readonly firstRetryMs: number;
}

export interface CaCall {
  readonly operation: string;
  readonly url: string;
  /** `read` may be repeated, `change` never is. */
  readonly effect: 'read' | 'change';
  readonly deadlineMs?: number;
  /** Values that must not come out again in an error. */
  readonly secrets: readonly string[];
}

type Send = (signal: AbortSignal) => Promise<Response>;

const bodyLimit = 1024 * 1024;
const triesOfReads = 4;
// Errors of DNS, connecting and TLS: the request was not sent.
const notSent = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
  'CERT_HAS_EXPIRED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'ERR_TLS_CERT_ALTNAME_INVALID',
]);

/** Sends one call, and again if it only reads; gives the parsed JSON of a 2xx, undefined for none. */
export class CaHttp {
  readonly #fetch: typeof fetch;
  readonly timeouts: CaTimeouts;

  constructor(timeouts: CaTimeouts, fetcher: typeof fetch) {
    this.timeouts = timeouts;
    this.#fetch = fetcher;
  }

  /** A CSC call: POST with JSON, Bearer token when there is one. */
  postJson(
    call: CaCall,
    body: Readonly<Record<string, unknown>>,
    accessToken?: string,
  ): Promise<unknown> {
    const secrets = accessToken === undefined ? call.secrets : [...call.secrets, accessToken];
    return this.send({ ...call, secrets }, (signal) =>
      this.#fetch(call.url, {
        method: 'POST',
        redirect: 'manual',
        signal,
        headers: {
          accept: 'application/json',
          'content-type': 'application/json',
          ...(accessToken === undefined ? {} : { authorization: `Bearer ${accessToken}` }),
        },
        body: JSON.stringify(body),
      }),
    );
  }

  getJson(call: CaCall): Promise<unknown> {
    return this.send(call, (signal) =>
      this.#fetch(call.url, {
        redirect: 'manual',
        signal,
        headers: { accept: 'application/json' },
      }),
    );
  }

  /** Any call, sent by `send` with this client's deadline and judged by its rules. */
  async send(call: CaCall, send: Send): Promise<unknown> {
    if (call.effect === 'change') return (await this.#once(call, send, call.deadlineMs)).json;
    const end = performance.now() + this.timeouts.readTotalMs;
    for (let tries = 1; ; tries += 1) {
      const left = end - performance.now();
      const attempt = await this.#once(call, send, Math.min(left, this.timeouts.callMs)).catch(
        (error: unknown) => {
          if (error instanceof CaError && error.kind === 'unreachable') return { error };
          throw error;
        },
      );
      if (!('error' in attempt)) return attempt.json;
      const wait = this.timeouts.firstRetryMs * 2 ** (tries - 1) * (0.5 + Math.random());
      const pause = Math.max(wait, retryAfter.get(attempt.error) ?? 0);
      if (tries === triesOfReads || performance.now() + pause >= end) throw attempt.error;
      await delay(pause);
    }
  }

  async #once(
    call: CaCall,
    send: Send,
    deadlineMs = this.timeouts.callMs,
  ): Promise<{ json: unknown }> {
    const { operation, secrets } = call;
    const changes = call.effect === 'change';
    let response: Response;
    let text: string;
    try {
      response = await send(AbortSignal.timeout(Math.max(1, Math.ceil(deadlineMs))));
      text = await readBounded(response);
    } catch (error) {
      const code = networkCode(error);
      const kind = changes
        ? notSent.has(code)
          ? 'transient_not_processed'
          : 'outcome_unknown'
        : code === 'body_too_long'
          ? 'protocol_error'
          : 'unreachable';
      throw new CaError(kind, { operation, reason: code });
    }
    const json = parseJson(text);
    const { status } = response;
    if (status === 200 || status === 201 || status === 204) {
      if (json !== undefined || text.trim() === '') return { json };
      throw unreadable(call, status, 'not JSON');
    }
    // 202 among them: a pending authorization is not a SAD, and this client does not poll.
    const refusal = classifyRefusal({
      operation,
      httpStatus: status,
      changes,
      ...parseRefusal(json, text, secrets),
    });
    const seconds = Number(response.headers.get('retry-after'));
    if (seconds > 0) retryAfter.set(refusal, seconds * 1000);
    throw refusal;
  }
}

// Kept beside the error, since it matters to the next try only.
const retryAfter = new WeakMap<CaError, number>();

/** The error for a success that cannot be understood: what it did stays unknown if it changes something. */
export function unreadable(call: CaCall, httpStatus: number | undefined, reason: string): CaError {
  return new CaError(call.effect === 'change' ? 'outcome_unknown' : 'protocol_error', {
    operation: call.operation,
    httpStatus,
    reason,
  });
}

async function readBounded(response: Response): Promise<string> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    size += part.length;
    if (size > bodyLimit) throw Object.assign(new Error('body'), { code: 'body_too_long' });
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** csc.md 5: `error` may be missing, hold a blank, or stand inside `message`; the body may be text. */
function parseRefusal(
  json: unknown,
  text: string,
  secrets: readonly string[],
): { error: string | undefined; description: string | undefined } {
  if (typeof json !== 'object' || json === null) {
    // A page of a proxy says nothing; a line of text may.
    const line = text.length > 500 || text.includes('<') ? undefined : text;
    return { error: undefined, description: cleanText(line, secrets) };
  }
  const { error, error_description: description, message } = json as Record<string, unknown>;
  if (error === undefined && typeof message === 'string') {
    const [code, ...rest] = message.split(':');
    return rest.length > 0
      ? { error: cleanText(code, secrets), description: cleanText(rest.join(':'), secrets) }
      : { error: undefined, description: cleanText(message, secrets) };
  }
  return { error: cleanText(error, secrets), description: cleanText(description, secrets) };
}

/** The code at the bottom of a failed fetch, or `timeout`, or `network`. */
function networkCode(error: unknown): string {
  let each = error;
  // Looked at by shape: what fetch throws may come from another realm than this module's `Error`.
  for (let depth = 0; typeof each === 'object' && each !== null && depth < 5; depth += 1) {
    const { name, code, cause } = each as { name?: unknown; code?: unknown; cause?: unknown };
    if (name === 'TimeoutError') return 'timeout';
    if (typeof code === 'string') return code;
    each = cause;
  }
  return 'network';
}
