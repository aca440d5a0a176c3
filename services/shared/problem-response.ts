import { problems, type Problem, type ProblemCode } from '../../domain/errors.ts';
import { statusByCode } from './http-status.ts';

export const problemMediaType = 'application/problem+json';

export type ProblemResponse = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Readonly<Record<string, unknown>>;
};

/**
 * A problem as RFC 9457 says it. `details.retryAfterSeconds` also becomes the Retry-After header, `details.allow` the Allow header.
 * Members of the standard win over details of the same name.
 */
export const presentProblem = (problem: Problem, referenceId: string): ProblemResponse => {
  const { code, details } = problem;
  const [title, detail]: readonly [string, string] = problems[code];
  const status = statusByCode[code];
  return {
    status,
    headers: headersOf(code, details),
    body: {
      ...details,
      type: `urn:certificate-access:problem:${code}`,
      title,
      status,
      code,
      detail,
      instance: referenceId,
    },
  };
};

const headersOf = (code: ProblemCode, details: Problem['details']): Record<string, string> => {
  const retryAfter = details['retryAfterSeconds'];
  const allow = details['allow'];
  return {
    ...(typeof retryAfter === 'number' && { 'Retry-After': String(Math.ceil(retryAfter)) }),
    ...(Array.isArray(allow) && { Allow: allow.join(', ') }),
    ...(code === 'api_key_refused' && { 'WWW-Authenticate': 'Bearer' }),
  };
};
