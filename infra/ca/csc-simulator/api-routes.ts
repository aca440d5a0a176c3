import type Router from '@koa/router';
import type { Context } from 'koa';
import { serveCall, type Simulator } from './csc-call.ts';
import type { CscMethod } from './csc-methods.ts';
import { v1Methods } from './csc-v1-methods.ts';
import { v2Methods } from './csc-v2-methods.ts';
import { authenticateClient } from './oauth-client.ts';
import { accountOfTokenRequest, consentOf, issueTokens, revoke } from './oauth-tokens.ts';
import { Refusal } from './refusal.ts';
import { readForm, readJson } from './request.ts';
import { hashOf } from './state.ts';
import { switchesFor } from './switches.ts';

type Methods = Readonly<Record<string, CscMethod>>;

/** The CSC API in both dialects, and the OAuth endpoints that machines call. */
export function addApiRoutes(router: Router, simulator: Simulator): void {
  addCscRoutes(router, simulator, 'v1', '1.0.3.0', v1Methods);
  addCscRoutes(router, simulator, 'v2', '2.0.0.2', v2Methods);

  router.post('/oauth2/token', (ctx) => serveOAuth(ctx, 'oauth2/token', issueTokens));
  router.post('/oauth2/revoke', (ctx) => serveOAuth(ctx, 'oauth2/revoke', revoke));
  router.get('/.well-known/oauth-authorization-server', (ctx) => {
    ctx.body = {
      issuer: simulator.origin,
      authorization_endpoint: `${simulator.origin}/oauth2/authorize`,
      token_endpoint: `${simulator.origin}/oauth2/token`,
      revocation_endpoint: `${simulator.origin}/oauth2/revoke`,
      response_types_supported: ['code'],
      code_challenge_methods_supported: ['S256'],
    };
  });

  async function serveOAuth(
    ctx: Context,
    method: string,
    perform: (simulator: Simulator, form: URLSearchParams) => unknown,
  ): Promise<void> {
    const form = await readForm(ctx);
    ctx.set('cache-control', 'no-store');
    await serveCall(ctx, simulator, {
      method,
      parameters: Object.fromEntries(form),
      account: accountOfTokenRequest(simulator, form),
      perform: () => {
        authenticateClient(simulator, ctx.get('authorization'), form);
        return perform(simulator, form);
      },
    });
  }
}

function addCscRoutes(
  router: Router,
  simulator: Simulator,
  version: string,
  specs: string,
  methods: Methods,
): void {
  router.post(`/csc/${version}/info`, async (ctx) => {
    const body = await readJson(ctx);
    await serveCall(ctx, simulator, {
      method: 'info',
      parameters: body,
      perform: () => info(simulator, specs, methods),
    });
  });
  for (const [method, perform] of Object.entries(methods)) {
    router.post(`/csc/${version}/${method}`, async (ctx) => {
      const body = await readJson(ctx);
      const authorization = ctx.get('authorization');
      await serveCall(ctx, simulator, {
        method,
        parameters: body,
        account: accountOfToken(simulator, authorization),
        perform: () => perform({ simulator, body, consent: consentOf(simulator, authorization) }),
      });
    });
  }
  router.post(`/csc/${version}/{*method}`, () => {
    throw new Refusal('The method is not implemented', 'not_implemented_method', 501);
  });
}

function info(simulator: Simulator, specs: string, methods: Methods): unknown {
  const answer: Record<string, unknown> = {
    specs,
    name: 'CSC simulator',
    region: 'PT',
    lang: 'en-US',
    description: 'A simulator of a certificate authority. Not for real signatures.',
    authType: ['oauth2code'],
    oauth2: simulator.origin,
    methods: ['info', ...Object.keys(methods), 'oauth2/authorize', 'oauth2/token', 'oauth2/revoke'],
    ...switchesFor(simulator.state.switches, {}).info,
  };
  return Object.fromEntries(Object.entries(answer).filter(([, value]) => value !== null));
}

function accountOfToken({ state }: Simulator, authorization: string): string | undefined {
  return state.kept.tokens[hashOf(authorization.replace(/^Bearer /i, ''))]?.consent.account;
}
