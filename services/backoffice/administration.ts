import type { Clock } from '../../domain/clock.ts';
import type { Database } from '../../infra/postgres/pool.ts';
import { createAdministration, type Administration } from '../shared/administration.ts';
import type { Caller } from './session.ts';

/** The entries of services/shared/administration.ts, made by this operator. What the operator's role allows is checked before. */
export const administrationBy = (
  { operatorId }: Caller,
  { database, clock }: { readonly database: Database; readonly clock: Clock },
): Administration =>
  createAdministration({
    database,
    clock,
    actor: `operator:${operatorId}`,
    writtenBy: 'backoffice',
  });
