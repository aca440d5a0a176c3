import { setTimeout as pause } from 'node:timers/promises';
import { expect } from '@jest/globals';
import { credentialState, simulatorState } from '../../infra/ca/csc-simulator/testing.ts';
import { waitUntil } from '../../infra/development/wait-until.ts';
import { grantWorkflowId } from '../../domain/messages.ts';
import type { Answer } from '../../services/stack/browser.ts';
import {
  createOperatorDriver,
  expectAnswer,
  renew,
  type CaVisit,
  type OperatorDriver,
} from '../../services/stack/operator-driver.ts';
import { clientAccount, type EnteredCertificate, type EnteredOperator } from './entries.ts';
import type { System } from './system.ts';

/** What operators, signing services and ops see of the system, each through its own door. */

export type Access = {
  readonly standing: string;
  readonly reason: string | null;
  readonly warnings: readonly string[];
  readonly grantId: string | null;
  readonly effectiveAt: string | null;
  readonly expiresAt: string | null;
  readonly allowance: number | null;
  readonly used: number | null;
  readonly bindingLimit: string | null;
};

export type CertificateSeen = {
  readonly access: Access;
  readonly clientServices: readonly {
    readonly id: string;
    readonly alias: string;
    readonly status: string;
    readonly reason: string | null;
  }[];
  readonly openRenewal: { readonly id: string } | null;
};

export type RenewalSeen = {
  readonly id: string;
  readonly state: string;
  readonly deadline: string;
  readonly factors: readonly { readonly name: string }[];
  readonly codeWindowEndsAt: string | null;
  readonly resendAllowedAt: string | null;
  readonly serverNow: string;
  readonly triesLeft: number;
  readonly notice: { readonly code: string; readonly message: string } | null;
  readonly outcome: {
    readonly code: string;
    readonly message: string;
    readonly whatToDo: string;
  } | null;
};

export type GrantSeen = {
  readonly id: string;
  readonly effectiveAt: string;
  readonly expiresAt: string;
  readonly allowance: number;
  readonly bindingLimit: string;
};

export type GateAnswer = {
  readonly maySign: boolean;
  readonly reason: string | null;
  readonly grantId: string | null;
  readonly expiresAt: string | null;
  readonly remaining: number | null;
};

const deadlineMs = 20_000;

/** Asks until the answer is right, with a deadline that is far above what it takes. */
export const eventually = <T>(
  what: string,
  probe: () => Promise<T | false | undefined>,
  within = deadlineMs,
): Promise<T> => waitUntil(probe, { what, deadlineMs: within, intervalMs: 40 });

/** A browser of this operator, signed in. */
export async function signedIn(
  system: System,
  { email, password }: EnteredOperator,
  backofficeUrl: string = system.urls.backoffice,
): Promise<OperatorDriver> {
  const driver = createOperatorDriver(backofficeUrl);
  expectAnswer(await driver.signIn(email, password), 200);
  return driver;
}

export const seenCertificate = async (
  driver: OperatorDriver,
  { id }: Pick<EnteredCertificate, 'id'>,
): Promise<CertificateSeen> =>
  expectAnswer(await driver.call('GET', `/api/certificates/${id}`), 200) as CertificateSeen;

export const statusesOf = ({ clientServices }: CertificateSeen): Record<string, string> =>
  Object.fromEntries(clientServices.map(({ alias, status }) => [alias, status]));

export const seenRenewal = async (driver: OperatorDriver, id: string): Promise<RenewalSeen> =>
  expectAnswer(await driver.renewal(id), 200) as RenewalSeen;

/** From the click to the grant, with nothing in the way. */
export async function renewAccess(
  system: System,
  driver: OperatorDriver,
  certificate: EnteredCertificate,
  consent: Partial<CaVisit> = {},
): Promise<Access> {
  await renew(driver, {
    certificateId: certificate.id,
    credentialId: certificate.credentialId,
    simulatorUrl: system.urls.simulator,
    pin: certificate.pin,
    ...clientAccount,
    ...consent,
  });
  return (await seenCertificate(driver, certificate)).access;
}

export type OpenedRenewal = { readonly id: string; readonly redirectTo: string };

export const opened = (answer: Answer): OpenedRenewal => expectAnswer(answer, 201) as OpenedRenewal;

/** From the click to the dialog for PIN and OTP. */
export async function openDialog(
  driver: OperatorDriver,
  certificate: EnteredCertificate,
  consent: Partial<CaVisit> = {},
): Promise<string> {
  const { id, redirectTo } = opened(await driver.openRenewal(certificate.id));
  const back = await driver.comeBack(
    await driver.visitCa(redirectTo, { ...clientAccount, ...consent }),
  );
  expect(back.status).toBe(303);
  const { state } = await seenRenewal(driver, id);
  expect(state).toBe('awaiting_code');
  return id;
}

/** The code as the simulator's phone page shows it to the holder. */
export async function codeOnPhone(
  { urls }: System,
  { credentialId }: EnteredCertificate,
): Promise<string> {
  const page = await (await fetch(`${urls.simulator}/simulator/phone`)).text();
  const shown = new RegExp(`data-credential="${credentialId}">(\\d+)<`).exec(page);
  if (shown?.[1] === undefined) throw new Error('the phone shows no code');
  return shown[1];
}

export const wrongCode = (code: string): string => (code === '000000' ? '111111' : '000000');

/** How often the CA was asked for something about this credential. */
export async function callsAtCa(
  { urls }: System,
  { credentialId }: EnteredCertificate,
  method: string,
): Promise<number> {
  const { calls } = await credentialState(urls.simulator, credentialId);
  return calls.filter((call) => call.method === method).length;
}

/** All calls that the CA got, of whomever; only of this method if one is named. */
export async function allCallsAtCa({ urls }: System, method?: string): Promise<number> {
  const { calls } = await simulatorState(urls.simulator);
  return calls.filter((call) => method === undefined || call.method === method).length;
}

type AskGate = {
  readonly certificate: Pick<EnteredCertificate, 'id'>;
  readonly apiKey: string;
  /** Id or alias. */
  readonly clientService?: string;
};

export async function askGate(
  { urls }: System,
  { certificate, apiKey, clientService }: AskGate,
): Promise<GateAnswer> {
  const url = new URL(`/v1/certificates/${certificate.id}/access`, urls.gate);
  if (clientService !== undefined) url.searchParams.set('clientService', clientService);
  const response = await fetch(url, { headers: { authorization: `Bearer ${apiKey}` } });
  const body: unknown = await response.json();
  return expectAnswer(
    { status: response.status, headers: response.headers, body },
    200,
  ) as GateAnswer;
}

/** Waits until the gate has read the facts that make it answer so: NOTIFY hastens it, 5 s at most without. */
export const gateSays = (
  system: System,
  asked: AskGate,
  reason: string | null,
  grantId?: string | null,
): Promise<GateAnswer> =>
  eventually(`The gate does not say ${reason ?? 'yes'}`, async () => {
    const answer = await askGate(system, asked);
    const isRight = answer.reason === reason && answer.maySign === (reason === null);
    return isRight && (grantId === undefined || answer.grantId === grantId) && answer;
  });

export async function askActivation(
  { urls }: System,
  { certificate, apiKey, clientService }: AskGate,
): Promise<Answer> {
  const response = await fetch(`${urls.gate}/v1/certificates/${certificate.id}/activation`, {
    method: 'POST',
    headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ clientService }),
  });
  const body: unknown = await response.json();
  return { status: response.status, headers: response.headers, body };
}

export type MailSeen = { readonly to: string; readonly subject: string };

/** The mails about a certificate, by its alias, oldest first. */
export async function mailsAbout(
  { mailbox }: System,
  { alias }: EnteredCertificate,
): Promise<MailSeen[]> {
  const { messages } = await mailbox.list('limit=1000');
  return messages
    .map(({ To, Subject }) => ({ to: To[0]?.Address ?? '', subject: Subject }))
    .filter(({ subject }) => subject.includes(`'${alias}'`))
    .reverse();
}

/** The workflow of a grant or renewal, as Temporal describes it. */
export async function workflowOf(
  { temporal }: System,
  grantId: string,
): Promise<{ readonly status: string; readonly result: unknown }> {
  const handle = temporal.workflow.getHandle(grantWorkflowId(grantId));
  const { status } = await handle.describe();
  return {
    status: status.name,
    result: status.name === 'COMPLETED' ? await handle.result() : undefined,
  };
}

/** Names of the signals that the workflow of a grant or renewal got, in order. */
export async function signalsTo({ temporal }: System, grantId: string): Promise<string[]> {
  const handle = temporal.workflow.getHandle(grantWorkflowId(grantId));
  const { events } = await handle.fetchHistory();
  return (events ?? []).flatMap(({ workflowExecutionSignaledEventAttributes: signal }) =>
    signal?.signalName == null ? [] : [signal.signalName],
  );
}

export const workflowEnds = (system: System, grantId: string, outcome: string) =>
  eventually(`The workflow of ${grantId} does not end ${outcome}`, async () => {
    const { status, result } = await workflowOf(system, grantId);
    return status === 'COMPLETED' && result === outcome;
  });

/** Until an instant that is known beforehand. */
export const until = (instant: string | number): Promise<unknown> =>
  pause(Math.max(0, new Date(instant).getTime() - Date.now()));

/** A refusal by its stable code, with a sentence for people and what to do. */
export function expectProblem(
  { status, headers, body }: Answer,
  expected: { readonly status: number; readonly code: string },
  details: Readonly<Record<string, unknown>> = {},
): void {
  expect({ status, body }).toMatchObject({
    status: expected.status,
    body: {
      type: `urn:certificate-access:problem:${expected.code}`,
      code: expected.code,
      status: expected.status,
      title: expect.stringMatching(/^[A-Z].+\.$/),
      detail: expect.stringMatching(/^[A-Z].+\.$/),
      ...details,
    },
  });
  expect(headers.get('content-type')).toContain('application/problem+json');
}

/** How a renewal ended, by its stable code, with a sentence for people and what to do. */
export function expectOutcome(renewal: RenewalSeen, state: string, code: string): void {
  expect(renewal).toMatchObject({
    state,
    codeWindowEndsAt: null,
    outcome: {
      code,
      message: expect.stringMatching(/^[A-Z].+\.$/),
      whatToDo: expect.stringMatching(/^[A-Z].+\.$/),
    },
  });
}
