import { createBrowser, type Answer, type Browser, type Page } from './browser.ts';

/** What an operator does with a browser: against the backoffice, and on the CA simulator's pages. Used by the seed and by the tests. */
export type OperatorDriver = {
  readonly browser: Browser;
  signIn(email: string, password: string): Promise<Answer>;
  /** A call of the backoffice's API; `path` as in `/api/certificates`. */
  call(method: string, path: string, body?: unknown): Promise<Answer>;
  openRenewal(certificateId: string, body?: { takeOver?: boolean }): Promise<Answer>;
  /** Signs in at the CA if it asks for that, and consents or denies. Answers where the CA sends the browser back to, without going there. */
  visitCa(redirectTo: string, visit: CaVisit): Promise<string>;
  /** Opens the callback, as a browser that is sent back. */
  comeBack(callbackUrl: string): Promise<Page>;
  renewal(renewalId: string): Promise<Answer>;
  authorize(renewalId: string, factors: Factors): Promise<Answer>;
};

export type CaVisit = {
  readonly account: string;
  readonly password: string;
  /** How long the CA authorises; 60 days when not given. */
  readonly lifetimeSeconds?: number;
  /** How many signatures it allows; the page's own figure when not given. */
  readonly multisign?: number;
  readonly decision?: 'allow' | 'deny';
};

type Factors = { readonly pin?: string; readonly otp?: string };

export function createOperatorDriver(
  backofficeUrl: string,
  browser: Browser = createBrowser(),
): OperatorDriver {
  const call = (method: string, path: string, body?: unknown): Promise<Answer> =>
    browser.call(method, new URL(path, backofficeUrl).href, body);
  return {
    browser,
    call,
    signIn: (email, password) => call('POST', '/api/session', { email, password }),
    openRenewal: (certificateId, body = {}) =>
      call('POST', `/api/certificates/${certificateId}/renewals`, body),
    visitCa: (redirectTo, visit) => visitCa(browser, redirectTo, visit),
    comeBack: (callbackUrl) => browser.open(callbackUrl),
    renewal: (renewalId) => call('GET', `/api/renewals/${renewalId}`),
    authorize: (renewalId, factors) =>
      call('POST', `/api/renewals/${renewalId}/authorization`, factors),
  };
}

/** More pages than any honest way through the CA has. */
const mostPages = 8;

async function visitCa(browser: Browser, redirectTo: string, visit: CaVisit): Promise<string> {
  const caOrigin = new URL(redirectTo).origin;
  let page = await browser.open(redirectTo);
  for (let pages = 0; pages < mostPages; pages += 1) {
    if (page.location === undefined) page = await fillIn(browser, page, visit);
    else if (new URL(page.location).origin === caOrigin) page = await browser.open(page.location);
    else return page.location;
  }
  throw new Error(`the CA does not send the browser back; the last page was ${describe(page)}`);
}

function fillIn(browser: Browser, page: Page, visit: CaVisit): Promise<Page> {
  const [form] = page.forms;
  if (form === undefined || page.status >= 400) {
    throw new Error(`the CA shows no form: ${describe(page)}`);
  }
  if (form.names.includes('password')) {
    return browser.submit(form, { email: visit.account, password: visit.password });
  }
  return browser.submit(form, {
    decision: visit.decision ?? 'allow',
    ...(visit.lifetimeSeconds !== undefined && { lifetimeSeconds: String(visit.lifetimeSeconds) }),
    ...(visit.multisign !== undefined && { multisign: String(visit.multisign) }),
  });
}

/** Without the query, which may hold a code or a state. */
function describe({ url, status, text }: Page): string {
  const { origin, pathname } = new URL(url);
  const title = /<title>([^<]*)/.exec(text)?.[1] ?? 'no title';
  return `${origin}${pathname} (${status}, ${title})`;
}

/** The code that the simulator last sent to the phone for a credential, as its phone page shows it. */
export async function lastOtp(simulatorUrl: string, credentialId: string): Promise<string> {
  const url = new URL('/simulator/state', simulatorUrl);
  url.searchParams.set('credentialID', credentialId);
  const response = await fetch(url, { signal: AbortSignal.timeout(10_000) });
  const state = (await response.json()) as {
    credentials: Record<string, { lastOtp: string | null } | undefined>;
  };
  const otp = state.credentials[credentialId]?.lastOtp;
  if (otp == null) throw new Error(`the simulator has sent no code for ${credentialId}`);
  return otp;
}

export type WholeRenewal = CaVisit & {
  readonly certificateId: string;
  readonly credentialId: string;
  readonly simulatorUrl: string;
  readonly pin?: string;
};

/** A renewal from the click to the grant, as it goes when nothing goes wrong. The operator is signed in. Throws with what was answered instead. */
export async function renew(driver: OperatorDriver, renewal: WholeRenewal): Promise<unknown> {
  const opened = await driver.openRenewal(renewal.certificateId);
  const { id, redirectTo } = expectAnswer(opened, 201) as { id: string; redirectTo: string };
  const back = await driver.comeBack(await driver.visitCa(redirectTo, renewal));
  if (back.status !== 303) throw new Error(`the callback answered ${back.status}`);
  const state = expectAnswer(await driver.renewal(id), 200) as RenewalState;
  if (state.state === 'granted') return state;
  if (state.state !== 'awaiting_code') {
    throw new Error(`the renewal is ${state.state} after the CA: ${JSON.stringify(state.outcome)}`);
  }
  const asks = (name: string): boolean => state.factors.some((factor) => factor.name === name);
  const authorized = await driver.authorize(id, {
    ...(asks('pin') && { pin: renewal.pin ?? '' }),
    ...(asks('otp') && { otp: await lastOtp(renewal.simulatorUrl, renewal.credentialId) }),
  });
  return expectAnswer(authorized, 200);
}

type RenewalState = {
  readonly state: string;
  readonly factors: readonly { readonly name: string }[];
  readonly outcome: unknown;
};

/** The body of an answer that has this status; throws with the problem that came instead. */
export function expectAnswer({ status, body }: Answer, expected: number): unknown {
  if (status === expected) return body;
  throw new Error(`expected ${expected}, was answered ${status}: ${JSON.stringify(body)}`);
}
