import type Router from '@koa/router';
import type { Context } from 'koa';
import { recordCall } from './call-log.ts';
import type { Simulator } from './csc-call.ts';
import { defaultAccounts } from './default-data.ts';
import { style } from './html.ts';
import { isRegisteredRedirect, sameText } from './oauth-client.ts';
import {
  consentPage,
  demonstrationHint,
  homePage,
  loginPage,
  phonePage,
  problemPage,
} from './pages.ts';
import { readForm } from './request.ts';
import { newSecret, type AuthorizationRequest } from './state.ts';
import { switchesFor } from './switches.ts';

const cookieName = 'csc_simulator_session';
const requestMs = 30 * 60_000;
const codeSeconds = 300;

/** The pages a person sees: login, consent, phone. No script; the forms work in any browser. */
export function addBrowserRoutes(router: Router, simulator: Simulator): void {
  const { state } = simulator;
  const hint = demonstrationHint(defaultAccounts);
  const accountOf = (ctx: Context): string | undefined =>
    state.sessions.get(ctx.cookies.get(cookieName) ?? '');

  router.get('/', (ctx) => {
    ctx.body = homePage(simulator);
  });
  router.get('/simulator/style.css', (ctx) => {
    ctx.type = 'css';
    ctx.body = style;
  });
  router.get('/simulator/phone', (ctx) => {
    const account = ctx.query['account'];
    ctx.body = phonePage(simulator, typeof account === 'string' ? account : undefined);
  });

  router.get('/oauth2/authorize', (ctx) => {
    const query = ctx.URL.searchParams;
    recordCall(state.calls, {
      at: simulator.now().toISOString(),
      method: 'oauth2/authorize',
      parameters: [...query.keys()],
      ...(query.get('clientData') === null ? {} : { clientData: query.get('clientData') ?? '' }),
      outcome: 'ok',
    });
    const redirectUri = query.get('redirect_uri') ?? '';
    // Nothing is sent to an address that is not the client's.
    if (query.get('client_id') !== simulator.clientId) {
      showProblem(ctx, 'This application is not known', 'Invalid parameter client_id');
      return;
    }
    if (!isRegisteredRedirect(simulator.redirectUris, redirectUri)) {
      showProblem(ctx, 'This address is not registered', 'Invalid parameter redirect_uri');
      return;
    }
    const request = parseRequest(query, redirectUri);
    const error = problemOf(query);
    if (error !== undefined) {
      redirectBack(ctx, simulator, request, { error });
      return;
    }
    const id = newSecret();
    state.requests.set(id, request);
    showConsent(ctx, id, request);
  });

  router.get('/simulator/sign-in', (ctx) => {
    const { id, request } = requestOf(ctx.URL.searchParams);
    if (request === undefined) {
      showGone(ctx);
      return;
    }
    allowFormTo(ctx, request);
    ctx.body = loginPage(id, hint);
  });
  router.post('/simulator/sign-in', async (ctx) => {
    const form = await readForm(ctx);
    const { id, request } = requestOf(form);
    if (request === undefined) {
      showGone(ctx);
      return;
    }
    const account = state.kept.accounts[form.get('email')?.trim().toLowerCase() ?? ''];
    if (account === undefined || !sameText(form.get('password') ?? '', account.password)) {
      ctx.status = 401;
      allowFormTo(ctx, request);
      ctx.body = loginPage(id, hint, 'The e-mail or the password is wrong.');
      return;
    }
    const session = newSecret();
    state.sessions.set(session, account.email);
    ctx.cookies.set(cookieName, session, { httpOnly: true, sameSite: 'lax' });
    ctx.status = 303;
    ctx.redirect(`/simulator/consent?request=${encodeURIComponent(id)}`);
  });

  router.get('/simulator/consent', (ctx) => {
    const { id, request } = requestOf(ctx.URL.searchParams);
    if (request === undefined) showGone(ctx);
    else showConsent(ctx, id, request);
  });
  router.post('/simulator/consent', async (ctx) => {
    const form = await readForm(ctx);
    const { id, request } = requestOf(form);
    const account = accountOf(ctx);
    if (request === undefined) {
      showGone(ctx);
      return;
    }
    if (account === undefined) {
      showConsent(ctx, id, request);
      return;
    }
    if (form.get('decision') !== 'allow') {
      state.requests.delete(id);
      redirectBack(ctx, simulator, request, { error: 'access_denied' });
      return;
    }
    const lifetimeSeconds = wholeNumber(
      // An empty field is sent as an empty text.
      form.get('lifetimeSeconds') === ''
        ? form.get('lifetime')
        : (form.get('lifetimeSeconds') ?? form.get('lifetime')),
    );
    const multisign = wholeNumber(form.get('multisign'));
    if (lifetimeSeconds === undefined || multisign === undefined) {
      showProblem(ctx, 'That cannot be', 'Time and signatures are whole numbers from 1.');
      return;
    }
    state.requests.delete(id);
    const code = newSecret();
    const seconds = switchesFor(state.switches, { account }).codeSeconds ?? codeSeconds;
    state.codes.set(code, {
      consent: { id: newSecret(), account, clientId: request.clientId, lifetimeSeconds, multisign },
      redirectUri: request.redirectUri,
      ...(request.codeChallenge === undefined ? {} : { codeChallenge: request.codeChallenge }),
      expiresAt: simulator.now().getTime() + seconds * 1000,
    });
    redirectBack(ctx, simulator, request, { code });
  });

  function showConsent(ctx: Context, id: string, request: AuthorizationRequest): void {
    const account = accountOf(ctx);
    allowFormTo(ctx, request);
    if (account === undefined) {
      ctx.body = loginPage(id, hint);
      return;
    }
    const refusal = switchesFor(state.switches, { account }).consentError;
    if (refusal === undefined) {
      ctx.body = consentPage(id, request.clientId, account, state.credentialsOf(account));
    } else {
      redirectBack(ctx, simulator, request, { error: refusal });
    }
  }

  function parseRequest(query: URLSearchParams, redirectUri: string): AuthorizationRequest {
    const given = query.get('state');
    const challenge = query.get('code_challenge');
    return {
      clientId: simulator.clientId,
      redirectUri,
      ...(given === null ? {} : { state: given }),
      ...(challenge === null ? {} : { codeChallenge: challenge }),
      expiresAt: simulator.now().getTime() + requestMs,
    };
  }

  function requestOf(values: URLSearchParams): {
    id: string;
    request: AuthorizationRequest | undefined;
  } {
    const id = values.get('request') ?? '';
    const request = state.requests.get(id);
    const late = request !== undefined && simulator.now().getTime() >= request.expiresAt;
    return { id, request: late ? undefined : request };
  }
}

/** The OAuth error for a request whose address is good but whose content is not. */
function problemOf(query: URLSearchParams): string | undefined {
  if (query.get('response_type') !== 'code') return 'unsupported_response_type';
  if ((query.get('scope') ?? 'service') !== 'service') return 'invalid_scope';
  if (query.has('code_challenge') && query.get('code_challenge_method') !== 'S256') {
    return 'invalid_request';
  }
  return (query.get('state') ?? '').length > 255 ? 'invalid_request' : undefined;
}

function redirectBack(
  ctx: Context,
  simulator: Simulator,
  request: AuthorizationRequest,
  answer: Readonly<Record<string, string>>,
): void {
  const target = new URL(request.redirectUri);
  const values = { ...answer, ...(request.state === undefined ? {} : { state: request.state }) };
  for (const [name, value] of Object.entries(values)) target.searchParams.set(name, value);
  recordCall(simulator.state.calls, {
    at: simulator.now().toISOString(),
    method: 'oauth2/authorize',
    parameters: [],
    outcome: answer['error'] ?? 'code issued',
  });
  ctx.status = 303;
  ctx.redirect(target.href);
}

/** Browsers hold `form-action` against the redirect after a form too, so the client's address is named. */
function allowFormTo(ctx: Context, request: AuthorizationRequest): void {
  ctx.state['formAction'] = new URL(request.redirectUri).origin;
}

function showProblem(ctx: Context, title: string, text: string): void {
  ctx.status = 400;
  ctx.body = problemPage(title, text);
}

function showGone(ctx: Context): void {
  showProblem(ctx, 'This request has ended', 'Go back to the application and start again.');
}

function wholeNumber(text: string | null): number | undefined {
  const value = Number(text);
  return Number.isSafeInteger(value) && value >= 1 ? value : undefined;
}
