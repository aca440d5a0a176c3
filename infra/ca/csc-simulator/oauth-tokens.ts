import { createHash } from 'node:crypto';
import type { Simulator } from './csc-call.ts';
import { Refusal } from './refusal.ts';
import { hashOf, newSecret, type Consent, type Token } from './state.ts';
import { switchesFor, type Switches } from './switches.ts';

const refreshTokenDays = 90;

/** Who a token request is for, so far as the simulator can tell: for switches and the log. */
export function accountOfTokenRequest(
  { state }: Simulator,
  form: URLSearchParams,
): string | undefined {
  const code = state.codes.get(form.get('code') ?? '');
  const token = state.kept.tokens[hashOf(form.get('refresh_token') ?? form.get('token') ?? '')];
  return (code ?? token)?.consent.account;
}

/** oauth2/token for the grants `authorization_code` and `refresh_token`. */
export function issueTokens(simulator: Simulator, form: URLSearchParams): unknown {
  const grantType = form.get('grant_type');
  if (grantType === null) throw new Refusal('Missing parameter grant_type');
  if (grantType === 'authorization_code') return exchangeCode(simulator, form);
  if (grantType === 'refresh_token') return refresh(simulator, form);
  throw new Refusal('Invalid parameter grant_type');
}

function exchangeCode(simulator: Simulator, form: URLSearchParams): unknown {
  const { state } = simulator;
  const value = form.get('code');
  if (value === null) throw new Refusal('Missing parameter code');
  const code = state.codes.get(value);
  // Single use: gone at the first attempt, whatever becomes of it.
  state.codes.delete(value);
  if (code === undefined || simulator.now().getTime() >= code.expiresAt) {
    throw new Refusal('Authorization code is invalid or expired', 'invalid_grant');
  }
  if (form.get('redirect_uri') !== code.redirectUri) {
    throw new Refusal(
      'redirect_uri parameter does not match redirect_uri parameter of authorization request',
      'invalid_grant',
    );
  }
  if (code.codeChallenge !== undefined) {
    const challenge = createHash('sha256')
      .update(form.get('code_verifier') ?? '')
      .digest('base64url');
    if (challenge !== code.codeChallenge) {
      throw new Refusal('Invalid parameter code_verifier', 'invalid_grant');
    }
  }
  const switches = switchesOf(simulator, code.consent);
  return {
    ...newAccessToken(simulator, code.consent, switches),
    ...(switches.issueRefreshTokens === false ? {} : newRefreshToken(simulator, code.consent)),
  };
}

function refresh(simulator: Simulator, form: URLSearchParams): unknown {
  const value = form.get('refresh_token');
  if (value === null) throw new Refusal('Missing parameter refresh_token');
  const token = simulator.state.kept.tokens[hashOf(value)];
  if (token?.kind !== 'refresh' || token.revoked) {
    throw new Refusal('Invalid parameter refresh_token', 'invalid_grant');
  }
  const switches = switchesOf(simulator, token.consent);
  if (switches.refreshRefused === true || isOver(token, simulator)) {
    throw new Refusal('Refresh token expired', 'invalid_grant');
  }
  const access = newAccessToken(simulator, token.consent, switches);
  if (switches.rotateRefreshTokens === false) return access;
  token.revoked = true;
  return { ...access, ...newRefreshToken(simulator, token.consent) };
}

/** oauth2/revoke: tokens, and SADs besides (csc.md 3.4: "SHOULD support revoking it earlier"). */
export function revoke({ state }: Simulator, form: URLSearchParams): undefined {
  const value = form.get('token');
  if (value === null) throw new Refusal('Missing parameter token');
  const hint = form.get('token_type_hint');
  if (hint !== null && hint !== 'access_token' && hint !== 'refresh_token') {
    throw new Refusal('Invalid parameter token_type_hint');
  }
  const found = state.kept.tokens[hashOf(value)] ?? state.kept.sads[hashOf(value)];
  if (found === undefined || found.revoked) throw new Refusal('Invalid string parameter token');
  found.revoked = true;
  // A refresh token takes its access tokens with it; an access token dies alone.
  if ('kind' in found && found.kind === 'refresh') {
    for (const token of Object.values(state.kept.tokens)) {
      if (token.consent.id === found.consent.id) token.revoked = true;
    }
  }
}

/** The consent behind a Bearer token, or the refusal of csc.md 3.3. */
export function consentOf(simulator: Simulator, authorization: string): Consent {
  const value = /^Bearer ([\w.~+/-]+=*)$/i.exec(authorization)?.[1];
  if (value === undefined) throw new Refusal('Malformed authorization header.');
  const token = simulator.state.kept.tokens[hashOf(value)];
  if (token?.kind !== 'access' || token.revoked) {
    throw new Refusal('The access token is not valid', 'invalid_token', 401);
  }
  if (isOver(token, simulator)) {
    throw new Refusal('The access token is expired', 'expired_token', 401);
  }
  return token.consent;
}

function newAccessToken(simulator: Simulator, consent: Consent, switches: Switches): object {
  const seconds = switches.accessTokenSeconds ?? 3600;
  const value = newToken(simulator, 'access', consent, seconds);
  return { access_token: value, token_type: 'Bearer', expires_in: seconds };
}

function newRefreshToken(simulator: Simulator, consent: Consent): object {
  return { refresh_token: newToken(simulator, 'refresh', consent, refreshTokenDays * 86_400) };
}

function newToken(
  { state, now }: Simulator,
  kind: Token['kind'],
  consent: Consent,
  seconds: number,
): string {
  const value = newSecret();
  const expiresAt = new Date(now().getTime() + seconds * 1000).toISOString();
  state.kept.tokens[hashOf(value)] = { kind, consent, expiresAt, revoked: false };
  return value;
}

const isOver = (token: Token, { now }: Simulator): boolean => now() >= new Date(token.expiresAt);

const switchesOf = ({ state }: Simulator, { account }: Consent): Switches =>
  switchesFor(state.switches, { account });
