import type { Registry } from 'prom-client';
import type { Sealer } from '../../infra/postgres/sealing.ts';
import type { SessionLimits } from '../../infra/postgres/sessions.ts';
import type { ScreenChanges } from '../../infra/postgres/screen-changes.ts';
import type { RenewalStore } from '../../infra/postgres/renewals.ts';
import { answerUnavailable } from '../shared/answer-unavailable.ts';
import { createCaFigures } from '../shared/ca-figures.ts';
import type { Dependencies } from '../shared/health.ts';
import { createHttpApp, type HttpApp } from '../shared/http.ts';
import type { Logger } from '../shared/log.ts';
import { createAttentionRoutes } from './attention-routes.ts';
import { createAccountRoutes } from './account-routes.ts';
import { createApiKeyRoutes } from './api-key-routes.ts';
import { createRenewalCaClients, type CaTimeouts } from './ca-clients.ts';
import { createCallbackRoute } from './callback-route.ts';
import { createCertificateRoutes } from './certificate-routes.ts';
import { createClientServiceRoutes } from './client-service-routes.ts';
import { createCookies } from './cookies.ts';
import { createDoors } from './doors.ts';
import { createEventStreams } from './event-streams.ts';
import { createEventsRoute } from './events-routes.ts';
import { refuseCrossSite } from './guards.ts';
import { createInvitationRoutes } from './invitation-routes.ts';
import { createInvitations } from './invitations.ts';
import { createOperatorRoutes } from './operator-routes.ts';
import { createPages } from './pages.ts';
import { createPasswordRoutes } from './password-routes.ts';
import { createPasswords } from './passwords.ts';
import { createRecipientsRoutes } from './recipients-routes.ts';
import { createRenewalProcess } from './renewal-process.ts';
import { createRenewalRoutes } from './renewal-routes.ts';
import type { RouteParts } from './route-parts.ts';
import { createSessionListRoutes } from './session-list-routes.ts';
import { createSessionRoutes } from './session-routes.ts';
import { createSessionAuthentication } from './session.ts';
import { createSignIn } from './sign-in.ts';
import { createTimelineRoutes } from './timeline-routes.ts';

export type BackofficeOptions = {
  readonly store: RenewalStore;
  readonly sealer: Sealer;
  readonly changes: ScreenChanges;
  readonly publicUrl: string;
  /** How many proxies of our own every request comes through; none unless told. */
  readonly trustedProxies?: number;
  readonly hstsIncludesSubdomains?: boolean;
  readonly sessionLimits: SessionLimits;
  readonly caTimeouts: CaTimeouts;
  /** The namespace's page in Temporal UI. */
  readonly workflowsUrl: string;
  readonly log: Logger;
  readonly metrics: Registry;
  readonly dependencies: Dependencies;
  readonly checkResponses: boolean;
};

/** The backoffice: the operators' page and its API, and the way to the CA and back. */
export function createBackoffice(options: BackofficeOptions): HttpApp {
  const { store, sealer, publicUrl, sessionLimits, log, metrics } = options;
  const { database, clock, policy } = store;
  const secure = new URL(publicUrl).protocol === 'https:';
  const cookies = createCookies(secure);
  const limits = sessionLimits;
  const authentication = createSessionAuthentication(database, clock, limits, cookies);
  const doors = createDoors({ database, clock, log });
  const { changes } = options;
  const streams = createEventStreams({ database, clock, limits, changes, log });
  const ca = createCaFigures(metrics);
  const process = createRenewalProcess({
    store,
    sealer,
    caClients: createRenewalCaClients(sealer, options.caTimeouts, ca.onCall),
    publicUrl,
    log,
  });
  const pages = createPages();
  const parts: RouteParts = {
    store,
    authentication,
    process,
    workflowsUrl: options.workflowsUrl,
    cookies,
  };
  const sessionParts = { database, clock, policy, limits, authentication, cookies };
  const signIn = createSignIn({ ...sessionParts, doors, metrics });
  const invitations = createInvitations({ ...sessionParts, sealer });
  const passwords = createPasswords({ ...sessionParts, sealer });
  return createHttpApp({
    log,
    metrics,
    title: 'Certificate Access backoffice',
    version: '1',
    dependencies: { ...options.dependencies, ca: ca.dependency },
    checkResponses: options.checkResponses,
    trustedProxies: options.trustedProxies ?? 0,
    strictTransportSecurity: secure ? hsts(options.hstsIncludesSubdomains ?? false) : undefined,
    extraMiddleware: [answerUnavailable, refuseCrossSite(publicUrl), pages.serve],
    routes: [
      ...createSessionRoutes(signIn, sessionParts),
      ...createSessionListRoutes(sessionParts),
      ...createAccountRoutes(parts),
      ...createOperatorRoutes(parts, invitations),
      ...createInvitationRoutes(invitations, doors, sessionParts),
      ...createPasswordRoutes(passwords, doors, authentication),
      ...createApiKeyRoutes(parts),
      ...createCertificateRoutes(parts),
      ...createRenewalRoutes(parts),
      ...createClientServiceRoutes(parts),
      createCallbackRoute(process, pages, cookies),
      ...createTimelineRoutes(parts),
      ...createRecipientsRoutes(parts),
      ...createAttentionRoutes(parts),
      createEventsRoute(streams, authentication),
    ],
  });
}

/** For a year (RFC 6797, 6.1): from then on browsers ask over https alone, and let nobody click a bad certificate away. */
const hsts = (includesSubdomains: boolean): string =>
  `max-age=31536000${includesSubdomains ? '; includeSubDomains' : ''}`;
