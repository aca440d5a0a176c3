import { setTimeout as pause } from 'node:timers/promises';
import type { Answer } from '../../services/stack/browser.ts';
import { lastOtp, type OperatorDriver } from '../../services/stack/operator-driver.ts';
import { clientAccount, type EnteredCertificate } from '../support/entries.ts';
import type { PlannedRenewal } from './plan.ts';
import type { RenewalDriven } from './record.ts';

type ToRenew = {
  readonly driver: OperatorDriver;
  readonly certificate: EnteredCertificate;
  /** Where the holder's phone shows its codes. */
  readonly simulatorUrl: string;
  readonly planned: PlannedRenewal;
};

/** A person who meets trouble tries again a few times. */
const tries = 4;
const againMs = 400;
/** A page that cannot be reached at all is opened again later: a process needs seconds to start. */
const laterMs = 1_500;

type Seen = { readonly state: string; readonly factors: readonly { readonly name: string }[] };

/** A renewal as an operator goes through it, in the way that is planned. Never rejects: what came of it is in the answer. */
export async function driveRenewal(renewal: ToRenew): Promise<RenewalDriven> {
  const { certificate, planned } = renewal;
  const driven = { certificateId: certificate.id, way: planned.way };
  let renewalId: string | undefined;
  try {
    const opened = await again(
      () => renewal.driver.openRenewal(certificate.id, { takeOver: planned.takeOver }),
      laterMs,
    );
    if (opened.status !== 201) return { ...driven, renewalId, told: codeOf(opened) };
    const { id, redirectTo } = opened.body as { id: string; redirectTo: string };
    renewalId = id;
    return { ...driven, renewalId, told: await goOn(renewal, id, redirectTo) };
  } catch (error) {
    return { ...driven, renewalId, told: whyOf(error) };
  }
}

async function goOn(renewal: ToRenew, id: string, redirectTo: string): Promise<string> {
  const { driver, planned } = renewal;
  const { way, lifetimeSeconds, multisign } = planned;
  if (way === 'leave_at_ca') return 'left';
  const back = await driver.visitCa(redirectTo, {
    ...clientAccount,
    ...{ lifetimeSeconds, multisign },
    decision: way === 'deny' ? 'deny' : 'allow',
  });
  await again(async () => {
    const { status } = await driver.comeBack(back);
    if (status !== 303) throw new Error(`the callback answered ${status}`);
  });
  if (way === 'abandon') return codeOf(await driver.call('DELETE', `/api/renewals/${id}`));
  let told = 'never asked';
  for (let left = tries; left > 0; left -= 1) {
    const seen = await again(async () => seenOf(await driver.renewal(id)));
    if (seen.state !== 'awaiting_code' || way === 'leave_at_code') return seen.state;
    const isWrong = way === 'wrong_pin_first' && left === tries;
    told = await typeFactors(renewal, id, seen, isWrong);
    if (told === 'granted') return told;
    if (told !== 'factor_rejected') await pause(againMs);
    // The code that was sent is used up by a refusal, or too old by now.
    if (left > 1) await driver.call('POST', `/api/renewals/${id}/code`).catch(() => undefined);
  }
  return told;
}

async function typeFactors(
  { driver, certificate, simulatorUrl, planned }: ToRenew,
  id: string,
  seen: Seen,
  isWrong: boolean,
): Promise<string> {
  const asks = (name: string): boolean => seen.factors.some((factor) => factor.name === name);
  try {
    const typed = {
      ...(asks('pin') && { pin: isWrong ? '0000' : certificate.pin }),
      ...(asks('otp') && { otp: await lastOtp(simulatorUrl, certificate.credentialId) }),
    };
    const asked = Array.from({ length: planned.way === 'twice_at_once' ? 2 : 1 }, () =>
      driver.authorize(id, typed),
    );
    const answers = await Promise.allSettled(asked);
    const told = answers.map((each) =>
      each.status === 'rejected'
        ? whyOf(each.reason)
        : each.value.status === 200
          ? 'granted'
          : codeOf(each.value),
    );
    return told.includes('granted') ? 'granted' : (told[0] ?? 'none');
  } catch (error) {
    return whyOf(error);
  }
}

async function again<T>(work: () => Promise<T>, pauseMs = againMs): Promise<T> {
  for (let left = tries; ; left -= 1) {
    try {
      return await work();
    } catch (error) {
      if (left === 1) throw error;
      await pause(pauseMs);
    }
  }
}

function seenOf(answer: Answer): Seen {
  if (answer.status !== 200) throw new Error(codeOf(answer));
  return answer.body as Seen;
}

export function codeOf({ status, body }: Answer): string {
  const code = (body as { code?: unknown } | undefined)?.code;
  return typeof code === 'string' ? code : String(status);
}

/** Why there was no answer. */
export function whyOf(error: unknown): string {
  if (!(error instanceof Error)) return 'no answer';
  const { cause } = error;
  const code = (cause as { code?: unknown } | undefined)?.code;
  return typeof code === 'string' ? code : error.message;
}
