import type Router from '@koa/router';
import { z } from 'zod';
import { revokeSadsOf } from './credential-authorization.ts';
import type { Simulator } from './csc-call.ts';
import { addCredential, presentCredential } from './new-credential.ts';
import { generatorOtp } from './otp.ts';
import { Refusal } from './refusal.ts';
import { readJson } from './request.ts';
import type { Credential, Sad } from './state.ts';
import { scopeKey, switchRequestSchema } from './switches.ts';

/** What tests and the demonstration set and look at. Loopback only, see `onlyFromHere` in server.ts. */
export function addAdminRoutes(router: Router, simulator: Simulator): void {
  const { state } = simulator;

  router.get('/simulator/state', (ctx) => {
    const only = ctx.query['credentialID'];
    const credentials = state.credentials.filter(
      (each) => only === undefined || each.credentialID === only,
    );
    ctx.body = {
      credentials: Object.fromEntries(
        credentials.map((each) => [each.credentialID, presentState(simulator, each)]),
      ),
      calls:
        only === undefined ? state.calls : state.calls.filter((call) => call.credentialID === only),
    };
  });

  router.post('/simulator/credentials', async (ctx) => {
    const credential = await addCredential(state, await readJson(ctx), simulator.now());
    ctx.status = 201;
    ctx.body = presentCredential(credential);
  });

  router.post('/simulator/switches', async (ctx) => {
    const parsed = switchRequestSchema.safeParse(await readJson(ctx));
    if (!parsed.success) throw new Refusal(z.prettifyError(parsed.error));
    const { credentialID, account, reset, ...rest } = parsed.data;
    const { pinLocked, otpLocked, keyStatus, certificateStatus, revokeSads, ...switches } = rest;
    if (credentialID !== undefined) {
      const credential = state.kept.credentials[credentialID];
      if (credential === undefined) throw new Refusal('Unknown credentialID', 'not_found', 404);
      setLocks(credential, { pinLocked, otpLocked });
      credential.keyStatus = keyStatus ?? credential.keyStatus;
      credential.certificateStatus = certificateStatus ?? credential.certificateStatus;
      if (revokeSads === true) revokeSadsOf(state, credentialID);
      state.changed();
    } else if (
      (pinLocked ?? otpLocked ?? keyStatus ?? certificateStatus ?? revokeSads) !== undefined
    ) {
      throw new Refusal('Locks, statuses and revokeSads need a credentialID');
    }
    const key = scopeKey({ credentialID, account });
    state.switches.set(key, { ...(reset === true ? {} : state.switches.get(key)), ...switches });
    ctx.status = 204;
  });
}

function setLocks(
  credential: Credential,
  locks: { readonly pinLocked?: boolean | undefined; readonly otpLocked?: boolean | undefined },
): void {
  if (locks.pinLocked !== undefined) credential.pinLocked = locks.pinLocked;
  if (locks.otpLocked !== undefined) credential.otpLocked = locks.otpLocked;
  if (locks.pinLocked === false) credential.wrongPinCount = 0;
  if (locks.otpLocked === false) credential.wrongOtpCount = 0;
}

function presentState(simulator: Simulator, credential: Credential) {
  const { state } = simulator;
  const { credentialID, otp, sentOtp } = credential;
  const now = simulator.now();
  const sads = Object.entries(state.kept.sads).filter(
    ([, sad]) => sad.credentialID === credentialID,
  );
  return {
    ...presentCredential(credential),
    // As a text message would show it; the phone page shows the same.
    lastOtp: otp?.type === 'offline' ? generatorOtp(credential, now) : (sentOtp?.value ?? null),
    otpSentAt: sentOtp?.sentAt ?? null,
    otpUsed: sentOtp?.used ?? null,
    wrongPinCount: credential.wrongPinCount,
    wrongOtpCount: credential.wrongOtpCount,
    pinLocked: credential.pinLocked,
    otpLocked: credential.otpLocked,
    keyStatus: credential.keyStatus,
    certificateStatus: credential.certificateStatus,
    sads: sads.map(([hash, sad]) => ({
      hash: hash.slice(0, 12),
      state: stateOf(sad, now),
      numSignatures: sad.numSignatures,
      remaining: sad.remaining,
      expiresAt: sad.expiresAt,
    })),
    calls: state.calls.filter((call) => call.credentialID === credentialID),
  };
}

function stateOf(sad: Sad, now: Date): 'in_force' | 'revoked' | 'used_up' | 'expired' {
  if (sad.revoked) return 'revoked';
  if (sad.remaining < 1) return 'used_up';
  return now >= new Date(sad.expiresAt) ? 'expired' : 'in_force';
}
