import type { ProblemCode } from '../../../../domain/errors.ts';

/** A refusal or fault as the API tells it (RFC 9457): a stable code, and whatever else belongs to it. */
export type ProblemBody = {
  readonly code: ProblemCode;
  readonly title: string;
  readonly detail: string;
  readonly status: number;
  /** Of the request, for the platform engineers. */
  readonly instance?: string;
} & Readonly<Record<string, unknown>>;

/** The server answered, and refused. */
export class ApiProblem extends Error {
  override readonly name = 'ApiProblem';
  readonly problem: ProblemBody;

  constructor(problem: ProblemBody) {
    super(problem.title);
    this.problem = problem;
  }

  get code(): ProblemCode {
    return this.problem.code;
  }
}

/** No answer came, or one that is not ours: the network, a proxy, a server that restarts. Whether a change was carried out is not known. */
export class Unanswered extends Error {
  override readonly name = 'Unanswered';
  /** As it was then; the network may be back by the time it is told. */
  readonly isOffline = !navigator.onLine;
}

export const isProblem = (error: unknown, ...codes: readonly ProblemCode[]): error is ApiProblem =>
  error instanceof ApiProblem && (codes.length === 0 || codes.includes(error.code));

type Call = { readonly body?: unknown; readonly signal?: AbortSignal | undefined };
type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** Longer than the server waits for a CA (DESIGN 6.3). */
const timeoutMs = 60_000;

const sessionEndedListeners = new Set<() => void>();

/** Told when any call was refused because nobody is signed in; answers how to stop being told. */
export function onSessionEnded(listener: () => void): () => void {
  sessionEndedListeners.add(listener);
  return () => void sessionEndedListeners.delete(listener);
}

const roleRefusedListeners = new Set<() => void>();

/** Told when any call was refused for one's role, which is then another than the page knows; answers how to stop being told. */
export function onRoleRefused(listener: () => void): () => void {
  roleRefusedListeners.add(listener);
  return () => void roleRefusedListeners.delete(listener);
}

/**
 * A call of the API of this origin; `path` is already encoded. Answers the parsed body, undefined for none. Throws `ApiProblem` or `Unanswered`; an abort by
 * `signal` throws as fetch does.
 */
export async function call<T>(
  method: Method,
  path: string,
  { body, signal }: Call = {},
): Promise<T> {
  const timeout = AbortSignal.timeout(timeoutMs);
  let response: Response;
  let text: string;
  try {
    response = await fetch(path, {
      method,
      headers: {
        accept: 'application/json',
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      body: body === undefined ? null : JSON.stringify(body),
      signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
    });
    text = await response.text();
  } catch (error) {
    if (signal?.aborted === true) throw error;
    throw new Unanswered('no answer', { cause: error });
  }
  const answer = parse(text);
  if (response.ok) return answer as T;
  if (!isProblemBody(answer)) throw new Unanswered(`answered ${response.status}`);
  if (answer.code === 'session_required') for (const listener of sessionEndedListeners) listener();
  if (answer.code === 'role_required') for (const listener of roleRefusedListeners) listener();
  throw new ApiProblem(answer);
}

function parse(text: string): unknown {
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const isProblemBody = (answer: unknown): answer is ProblemBody =>
  typeof answer === 'object' && answer !== null && 'code' in answer && 'title' in answer;

/** `/api/certificates?standing=lapsed`: without what is undefined or empty. */
export function withQuery(
  path: string,
  query: Readonly<Record<string, string | number | undefined>>,
): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== '') parameters.set(name, String(value));
  }
  const text = parameters.toString();
  return text === '' ? path : `${path}?${text}`;
}
