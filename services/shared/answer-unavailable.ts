import { Problem } from '../../domain/errors.ts';
import { isUnavailable } from '../../infra/postgres/availability.ts';
import type { Middleware } from './http.ts';

/** A database that cannot be asked is `unavailable` and not a fault of ours. */
export const answerUnavailable: Middleware = async (_ctx, next) => {
  try {
    await next();
  } catch (error) {
    throw isUnavailable(error) ? new Problem('unavailable', {}, { cause: error }) : error;
  }
};
