import { createHash, randomUUID, timingSafeEqual } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { knownNow } from '../../domain/clock.ts';
import { Problem } from '../../domain/errors.ts';
import { allowanceToAsk } from '../../domain/grant.ts';
import type { Factor, FactorName } from '../../domain/renewal.ts';
import { findCredentialAtCa, type CredentialAtCa } from '../../infra/postgres/certificates.ts';
import { recordGrant, type ObtainedGrant } from '../../infra/postgres/grant-recording.ts';
import type { StoredGrant } from '../../infra/postgres/grants.ts';
import { brokenConstraint } from '../../infra/postgres/pool.ts';
import { openRenewal } from '../../infra/postgres/renewal-opening.ts';
import {
  authorizationNotProcessed,
  awaitCode,
  claimAuthorization,
  claimCallback,
  claimCode,
  claimWithoutFactors,
  codeNotSent,
  codeSent,
  endRenewalIn,
  factorRejected,
  noteOtherBrowser,
  type CaSession,
  type ClaimedAuthorization,
} from '../../infra/postgres/renewal-steps.ts';
import {
  findRenewalByState,
  type RenewalStore,
  type ReturnedRenewal,
  type StoredRenewal,
} from '../../infra/postgres/renewals.ts';
import { openTokens, sealTokens, type SealedTokens } from '../../infra/postgres/sealed-tokens.ts';
import { hashSecret, newSecret, type Sealer } from '../../infra/postgres/sealing.ts';
import {
  CaError,
  type CaClient,
  type CaCredential,
  type CaTokens,
} from '../../infra/ca/csc-client.ts';
import { cleanText } from '../../infra/ca/ca-text.ts';
import type { Logger } from '../shared/log.ts';
import type { RenewalCaClients } from './ca-clients.ts';
import { caFacts, outcomeOf, outcomeOfCallback, problemOf } from './ca-outcomes.ts';

export type RenewalProcessOptions = {
  readonly store: RenewalStore;
  readonly sealer: Sealer;
  readonly caClients: RenewalCaClients;
  /** Base of the redirect URI. */
  readonly publicUrl: string;
  readonly log: Logger;
};

export type OpenedRenewal = {
  readonly renewalId: string;
  readonly redirectTo: string;
  readonly deadlineAt: Date;
  /** For the cookie of this attempt. */
  readonly browserSecret: string;
};

/** PIN and OTP as typed; they live no longer than the request. */
export type TypedFactors = {
  readonly pin?: string | undefined;
  readonly otp?: string | undefined;
};

export type RenewalProcess = ReturnType<typeof createRenewalProcess>;

/** Waits between the tries to store a grant that the CA has given: a short outage of the database is bridged while the browser waits. */
const storeRetryMs = [100, 200, 400, 800, 1600, 2000, 2000];

/**
 * The renewal between browser, CA and facts (DESIGN 6). Each fact is a transaction of infra/postgres; between them the CA is called, never repeated by a
 * machine. If the process ends at any point, what is stored is true and the renewal's workflow closes what is left open.
 */
export function createRenewalProcess(options: RenewalProcessOptions) {
  const { store, sealer, caClients, log } = options;
  const { database, clock, policy } = store;
  const redirectUri = `${options.publicUrl}/ca/callback`;

  return {
    /** Finds the CA, then stores the renewal: nothing is stored when the CA cannot be reached. Throws `ca_unreachable`, `ca_misconfigured` and what `openRenewal` throws. */
    async open(request: {
      certificateId: string;
      operatorId: string;
      takeOver: boolean;
      lang: string;
    }): Promise<OpenedRenewal> {
      const { certificateId, operatorId, takeOver, lang } = request;
      const credential = await credentialOf(certificateId);
      const [renewalId, state, browserSecret, verifier] = [
        randomUUID(),
        newSecret(),
        newSecret(),
        newSecret(),
      ];
      const redirectTo = await caClients
        .freshClientOf(credential)
        .authorizationUrl({
          state,
          codeChallenge: createHash('sha256').update(verifier).digest('base64url'),
          redirectUri,
          lang,
          correlationId: renewalId,
        })
        .catch((error: unknown) => {
          log.warn({ certificateId, ...caFacts(error) }, 'the CA could not be found');
          throw problemOf(outcomeOf(error), error);
        });
      const { deadlineAt } = await openRenewal(store, {
        renewalId,
        certificateId,
        operatorId,
        takeOver,
        stateHash: hashSecret(state),
        browserHash: hashSecret(browserSecret),
        sealedVerifier: sealer.seal(verifier, renewalId),
      });
      return { renewalId, redirectTo: redirectTo.href, deadlineAt, browserSecret };
    },

    /**
     * The browser is back from the CA. Answers which renewal it belongs to, whatever came of it; undefined for a `state` that is not ours.
     * `cookieOf` reads the cookie of an attempt.
     */
    async comeBack(
      parameters: URLSearchParams,
      cookieOf: (renewalId: string) => string | undefined,
    ): Promise<StoredRenewal | undefined> {
      const states = parameters.getAll('state');
      const state = states[0];
      if (state === undefined || states.length !== 1) return undefined;
      const renewal = await findRenewalByState(database, hashSecret(state));
      if (renewal === undefined) return undefined;
      const cookie = cookieOf(renewal.renewalId);
      const isSameBrowser =
        cookie !== undefined && timingSafeEqual(hashSecret(cookie), renewal.browserHash);
      if (!isSameBrowser) {
        await noteOtherBrowser(store, renewal);
      } else if (await claimCallback(store, renewal)) {
        await goOnAfterCallback(renewal, parameters, state);
      }
      return renewal;
    },

    /** Asks the CA for the grant with the factors typed. Throws the problem of every way in which it is not given. */
    async authorize(renewal: StoredRenewal, typed: TypedFactors): Promise<StoredGrant> {
      const { values, missing } = chooseFactors(renewal.factors ?? [], typed);
      if (renewal.state === 'awaiting_code' && missing.length > 0) {
        throw new Problem('factor_missing', { missing });
      }
      const credential = await credentialOf(renewal.certificateId);
      const claimed = await claimAuthorization(
        store,
        renewal,
        caClients.authorizationDeadlineMs,
        factorNamesOf(values),
      );
      return askForGrant(claimed, credential, values);
    },

    /** A new code window, and a new code where the CA sends it. */
    async requestCode(renewal: StoredRenewal): Promise<void> {
      const credential = await credentialOf(renewal.certificateId);
      if ((await claimCode(store, renewal)) === 'send_code') {
        await sendCode(renewal, credential, tokensOf(renewal));
      }
    },
  };

  async function credentialOf(certificateId: string): Promise<CredentialAtCa> {
    const credential = await findCredentialAtCa(database, certificateId);
    if (credential === undefined) throw new Problem('not_found');
    return credential;
  }

  function tokensOf({ renewalId, sealedTokens }: StoredRenewal): SealedTokens {
    if (sealedTokens === undefined) throw new Error(`renewal ${renewalId} has no tokens`);
    return openTokens(sealer, sealedTokens, renewalId);
  }

  /** From the code to the dialog, or for a certificate without factors to the grant. Whatever the CA says is stored as the renewal's outcome. */
  async function goOnAfterCallback(
    renewal: ReturnedRenewal,
    parameters: URLSearchParams,
    state: string,
  ): Promise<void> {
    const refuse = (outcome: Parameters<typeof endRenewalIn>[2], details = {}) =>
      endRenewalIn(store, renewal, outcome, ['at_ca'], details);

    const error = parameters.get('error');
    if (error !== null) {
      await refuse(outcomeOfCallback(error), { caError: cleanText(error.slice(0, 64)) });
      return;
    }
    const credential = await credentialOf(renewal.certificateId);
    const client = caClients.clientOf(credential);
    let tokens: CaTokens | undefined;
    let found: CaCredential | undefined;
    try {
      tokens = await client.exchangeCode({
        callbackParameters: parameters,
        expectedState: state,
        codeVerifier: sealer.open(renewal.sealedVerifier, renewal.renewalId),
        redirectUri,
      });
      found = await client.findCredential(tokens.accessToken, credential.credentialId);
    } catch (failure) {
      if (!(failure instanceof CaError)) throw failure;
      log.warn({ renewalId: renewal.renewalId, ...caFacts(failure) }, 'the CA refused the return');
      await refuse(outcomeOf(failure), caFacts(failure));
      if (tokens !== undefined) await revokeTokens(client, tokens);
      return;
    }
    const unusable = unusableBecause(found);
    if (unusable !== undefined || found === undefined) {
      await refuse(unusable ?? 'wrong_ca_account', found && { status: found.status });
      await revokeTokens(client, tokens);
      return;
    }
    if (!(await enterDialog(renewal, credential, tokens, found))) {
      await revokeTokens(client, tokens);
    }
  }

  function unusableBecause(found: CaCredential | undefined) {
    if (found === undefined) return 'wrong_ca_account';
    if (found.status !== 'usable') return 'certificate_unusable';
    // Authorised on the CA's own pages: there is nothing that we could ask for.
    return found.authMode === 'oauth' ? 'ca_misconfigured' : undefined;
  }

  /** False when the renewal has moved on meanwhile: nothing of this return is kept. */
  async function enterDialog(
    renewal: StoredRenewal,
    credential: CredentialAtCa,
    tokens: CaTokens,
    { factors, multisign }: CaCredential,
  ): Promise<boolean> {
    const kept: SealedTokens = {
      accessToken: tokens.accessToken,
      refreshToken: tokens.refreshToken,
      expiresAt: new Date(clock.now().getTime() + tokens.accessTokenExpiresInSeconds * 1000),
    };
    const sealedTokens = sealTokens(sealer, kept, renewal.renewalId);
    const session: CaSession = { sealedTokens, factors, multisign };
    if (factors.length === 0) {
      const deadlineMs = caClients.authorizationDeadlineMs;
      const claimed = await claimWithoutFactors(store, renewal, session, deadlineMs);
      if (claimed === undefined) return false;
      // The page that the browser goes to tells the outcome.
      await ignoringProblems(askForGrant(claimed, credential, {}));
      return true;
    }
    const step = await awaitCode(store, renewal, session);
    if (step === 'send_code') await ignoringProblems(sendCode(renewal, credential, kept));
    return step !== undefined;
  }

  /** The sending was claimed before: once per claim. Throws the problem of a code that was not sent. */
  async function sendCode(
    renewal: StoredRenewal,
    credential: CredentialAtCa,
    { accessToken }: SealedTokens,
  ): Promise<void> {
    try {
      await caClients.clientOf(credential).sendCode(accessToken, credential.credentialId);
    } catch (error) {
      const outcome = outcomeOf(error);
      log.warn({ renewalId: renewal.renewalId, ...caFacts(error) }, 'the CA did not send the code');
      const isFinal =
        outcome === 'factor_locked' ||
        outcome === 'certificate_unusable' ||
        outcome === 'ca_session_ended' ||
        outcome === 'ca_misconfigured';
      if (isFinal) {
        await endRenewalIn(store, renewal, outcome, ['awaiting_code'], caFacts(error));
      } else {
        await codeNotSent(store, renewal, caFacts(error));
      }
      throw problemOf(outcome, error);
    }
    await codeSent(store, renewal);
  }

  /** The one call for the grant; the window and the try were claimed before it. */
  async function askForGrant(
    claimed: ClaimedAuthorization,
    credential: CredentialAtCa,
    values: TypedFactors,
  ): Promise<StoredGrant> {
    const { renewal } = claimed;
    const client = caClients.clientOf(credential);
    const tokens = tokensOf(renewal);
    const allowance = allowanceToAsk(renewal.multisign ?? policy.allowance, policy);
    const calledAt = clock.now();
    let given;
    try {
      given = await client.authorizeCredential(tokens.accessToken, {
        credentialId: credential.credentialId,
        signatureCount: allowance,
        pin: values.pin,
        otp: values.otp,
        correlationId: renewal.renewalId,
      });
    } catch (error) {
      throw await afterRefusal(renewal, error);
    }
    const { accessToken, refreshToken, expiresAt = calledAt } = tokens;
    const obtained: ObtainedGrant = {
      calledAt,
      expiresInSeconds: given.expiresInSeconds,
      allowance,
      sealedSad: sealer.seal(given.sad, renewal.renewalId),
      sealedTokens: sealTokens(sealer, { accessToken, refreshToken }, renewal.renewalId),
      tokensExpireAt: expiresAt,
      factorNames: factorNamesOf(values),
    };
    const recorded = await storeGrant(claimed, obtained);
    if (recorded.kind === 'recorded') return recorded.grant;
    // In force at the CA, but not here: it is given back.
    await bestEffort('revoke a grant that was not recorded', client.revokeSad(given.sad));
    await revokeTokens(client, tokens);
    throw recorded.kind === 'too_late'
      ? new Problem('outcome_unknown', { outcome: 'answer_lost' })
      : problemOf(recorded.outcome);
  }

  /** Tried again while the authorization lasts: `recordGrant` knows a grant that was stored by a try whose answer was lost. */
  async function storeGrant({ renewal, endsAt }: ClaimedAuthorization, obtained: ObtainedGrant) {
    for (const pauseMs of [...storeRetryMs, undefined]) {
      try {
        return await recordGrant(store, renewal, obtained);
      } catch (error) {
        const isHopeless = brokenConstraint(error) !== undefined || pauseMs === undefined;
        log.error({ renewalId: renewal.renewalId, err: error }, 'a grant could not be stored');
        // Not revoked at the CA: it may be stored, with only the answer lost.
        const now = knownNow(clock);
        if (isHopeless || (now !== undefined && now >= endsAt)) {
          throw new Problem('outcome_unknown', {}, { cause: error });
        }
        await delay(pauseMs);
      }
    }
    throw new Problem('outcome_unknown');
  }

  /** Stores what the CA's refusal means and answers with its problem. */
  async function afterRefusal(renewal: StoredRenewal, error: unknown): Promise<Problem> {
    const facts = caFacts(error);
    const kind = error instanceof CaError ? error.kind : 'outcome_unknown';
    log.info({ renewalId: renewal.renewalId, ...facts }, 'the CA gave no grant');
    if (kind === 'factor_rejected') {
      const state = await factorRejected(store, renewal, facts);
      if (state === undefined) return new Problem('renewal_ended', {}, { cause: error });
      const { triesLeft, codeWindowEndsAt, outcome } = state;
      const window = codeWindowEndsAt?.toISOString() ?? null;
      const details = { triesLeft, codeWindowEndsAt: window, ...(outcome && { outcome }) };
      return new Problem('factor_rejected', details, { cause: error });
    }
    if (kind === 'transient_not_processed' && renewal.factors?.length !== 0) {
      await authorizationNotProcessed(store, renewal, facts);
      return new Problem('ca_unreachable', {}, { cause: error });
    }
    if (kind === 'outcome_unknown' || kind === 'unreachable') {
      await endRenewalIn(store, renewal, 'answer_lost', ['authorizing'], facts);
      return new Problem('outcome_unknown', { outcome: 'answer_lost' }, { cause: error });
    }
    const outcome = outcomeOf(error);
    await endRenewalIn(store, renewal, outcome, ['authorizing'], facts);
    return problemOf(outcome, error);
  }

  async function revokeTokens(
    client: CaClient,
    {
      accessToken,
      refreshToken,
    }: Pick<CaTokens, 'accessToken'> & { refreshToken?: string | undefined },
  ): Promise<void> {
    // A refresh token takes its access tokens with it (csc.md 3.4), where the CA holds to that.
    if (refreshToken !== undefined) {
      await bestEffort('revoke tokens', client.revokeToken(refreshToken, 'refresh_token'));
    }
    await bestEffort('revoke tokens', client.revokeToken(accessToken, 'access_token'));
  }

  async function bestEffort(what: string, work: Promise<unknown>): Promise<void> {
    await work.catch((error: unknown) => {
      log.warn(caFacts(error), `could not ${what} at the CA`);
    });
  }
}

/** What is sent to the CA: nothing that it did not ask for, nothing empty. `missing` are the required ones that were left out. */
function chooseFactors(factors: readonly Factor[], typed: TypedFactors) {
  const values: { pin?: string; otp?: string } = {};
  const missing: FactorName[] = [];
  for (const { name, required } of factors) {
    const value = typed[name];
    if (value !== undefined && value !== '') values[name] = value;
    else if (required) missing.push(name);
  }
  return { values, missing };
}

/** The names alone, which may be kept. */
const factorNamesOf = (values: TypedFactors): FactorName[] =>
  (['pin', 'otp'] as const).filter((name) => values[name] !== undefined);

/** For what the browser is not waiting for: the facts hold what came of it. */
async function ignoringProblems(work: Promise<unknown>): Promise<void> {
  await work.catch((error: unknown) => {
    if (!(error instanceof Problem)) throw error;
  });
}
