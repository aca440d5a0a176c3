import Router from '@koa/router';
import Koa, { type Context, type Next } from 'koa';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { addAdminRoutes } from './admin-routes.ts';
import { addApiRoutes } from './api-routes.ts';
import { addBrowserRoutes } from './browser-routes.ts';
import { issueRoot } from './certificates.ts';
import type { Simulator } from './csc-call.ts';
import { defaultAccounts, defaultCredentials } from './default-data.ts';
import { addCredential } from './new-credential.ts';
import type { SimulatorOptions } from './options.ts';
import { Refusal } from './refusal.ts';
import { SimulatorState } from './state.ts';

export interface StartOptions extends Partial<SimulatorOptions> {
  /** 0 takes a free port. */
  readonly port: number;
  /** Where to keep accounts, keys and authorizations; without it they live in memory. */
  readonly dataDirectory?: string | undefined;
  /** Whether to make the default credentials (twelve RSA keys, about two seconds). Default true. */
  readonly withDefaultCredentials?: boolean;
}

export interface RunningSimulator {
  /** `http://127.0.0.1:<port>`; the CSC base URIs are `<url>/csc/v1` and `<url>/csc/v2`. */
  readonly url: string;
  close(): Promise<void>;
}

const host = '127.0.0.1';
export const developmentClientSecret = 'development-client-secret';

/** Starts the CA simulator on loopback. Rejects with the cause when the port is taken. */
export async function startSimulator(options: StartOptions): Promise<RunningSimulator> {
  const state = new SimulatorState(options.dataDirectory);
  await prepare(state, options);
  const app = new Koa();
  const server = createServer();
  await listen(server, options.port);
  const origin = `http://${host}:${(server.address() as AddressInfo).port}`;
  const simulator: Simulator = {
    clientId: 'certificate-access',
    clientSecret: developmentClientSecret,
    redirectUris: ['http://127.0.0.1/ca/callback', 'http://localhost/ca/callback'],
    lockAfterTries: 5,
    now: () => new Date(),
    ...options,
    state,
    origin,
  };
  const router = new Router();
  addBrowserRoutes(router, simulator);
  addAdminRoutes(router, simulator);
  addApiRoutes(router, simulator);
  app.use(secureHeaders).use(answerRefusals).use(onlyFromHere);
  app.use(router.routes());
  const handle = app.callback();
  server.on('request', (request, response) => void handle(request, response));
  return {
    url: origin,
    close: () =>
      new Promise((resolve, reject) => {
        state.flush();
        server.close((error) => {
          if (error === undefined) resolve();
          else reject(error);
        });
        server.closeAllConnections();
      }),
  };
}

/** Makes what is missing: the root, the accounts, the default credentials. Keeps what is there. */
async function prepare(state: SimulatorState, options: StartOptions): Promise<void> {
  const now = options.now?.() ?? new Date();
  state.kept.root ??= await issueRoot(now);
  for (const account of defaultAccounts) state.kept.accounts[account.email] ??= account;
  if (options.withDefaultCredentials !== false) {
    const missing = defaultCredentials.filter(
      ({ credentialID = '' }) => state.kept.credentials[credentialID] === undefined,
    );
    await Promise.all(missing.map((each) => addCredential(state, { ...each, ownKey: true }, now)));
  }
  state.flush();
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

async function secureHeaders(ctx: Context, next: Next): Promise<void> {
  await next();
  const formAction = ["'self'", ctx.state['formAction']].filter(Boolean).join(' ');
  ctx.set({
    'content-security-policy': `default-src 'none'; style-src 'self'; form-action ${formAction}; base-uri 'none'; frame-ancestors 'none'`,
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
  });
  if (ctx.path !== '/simulator/style.css') ctx.set('cache-control', 'no-store');
}

async function answerRefusals(ctx: Context, next: Next): Promise<void> {
  try {
    await next();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    ctx.status = error.status;
    ctx.body = { error: error.error, error_description: error.description };
  }
}

/**
 * Loopback only, by peer and by name: a web page cannot reach the switches by pointing a name of
 * its own at 127.0.0.1.
 */
async function onlyFromHere(ctx: Context, next: Next): Promise<void> {
  const peer = ctx.req.socket.remoteAddress ?? '';
  const local = ['127.0.0.1', '::1', '::ffff:127.0.0.1'].includes(peer);
  if (!local || !['127.0.0.1', 'localhost'].includes(ctx.hostname)) {
    throw new Refusal('Only from this machine', 'access_denied', 403);
  }
  await next();
}
