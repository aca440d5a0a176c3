import type { RenewalStore } from '../../infra/postgres/renewals.ts';
import type { Authentication } from '../shared/route.ts';
import type { Cookies } from './cookies.ts';
import type { RenewalProcess } from './renewal-process.ts';
import type { Caller } from './session.ts';

/** What the routes of the API are made with. */
export type RouteParts = {
  readonly store: RenewalStore;
  readonly authentication: Authentication<Caller>;
  readonly process: RenewalProcess;
  /** The namespace's page in Temporal UI. */
  readonly workflowsUrl: string;
  readonly cookies: Cookies;
};
