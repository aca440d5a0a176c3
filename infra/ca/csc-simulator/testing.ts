import type { CallRecord } from './call-log.ts';
import { defaultAccounts } from './default-data.ts';
import type { NewCredential } from './new-credential.ts';

/** What a person does at the CA and what a test needs of the simulator, over HTTP only. */

export interface ConsentGiven {
  readonly email?: string;
  readonly password?: string;
  readonly lifetimeSeconds?: number;
  readonly multisign?: number;
  readonly decision?: 'allow' | 'deny';
}

/** Signs in at the CA and answers its consent page, as a browser would; gives the redirect back. */
export async function consentAtCa(authorizationUrl: URL, given: ConsentGiven = {}): Promise<URL> {
  const [account] = defaultAccounts;
  const { email = account?.email ?? '', decision = 'allow', multisign = 1_000_000_000 } = given;
  const password =
    given.password ?? defaultAccounts.find((each) => each.email === email)?.password ?? '';
  const login = await fetch(authorizationUrl, { redirect: 'manual' });
  const request = requestIn(await login.text());
  const signedIn = await post(authorizationUrl, '/simulator/sign-in', { request, email, password });
  const cookie = (signedIn.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
  const next = new URL(signedIn.headers.get('location') ?? '', authorizationUrl);
  const consent = await fetch(next, { redirect: 'manual', headers: { cookie } });
  // Without a page the CA has answered for the person, as with the switch `consentError`.
  const already = consent.headers.get('location');
  if (already !== null) return new URL(already);
  const decided = await post(
    authorizationUrl,
    '/simulator/consent',
    {
      request: requestIn(await consent.text()),
      lifetime: '5184000',
      lifetimeSeconds: given.lifetimeSeconds?.toString() ?? '',
      multisign: multisign.toString(),
      decision,
    },
    cookie,
  );
  return new URL(decided.headers.get('location') ?? '');
}

/** Adds a credential of its own for a test; by default of the first client account. */
export async function newCredential(
  simulatorUrl: string,
  credential: Partial<NewCredential> = {},
): Promise<{
  credentialID: string;
  subject: string;
  issuer: string;
  serial: string;
  notAfter: string;
}> {
  const account = defaultAccounts[0]?.email;
  const response = await postJson(`${simulatorUrl}/simulator/credentials`, {
    account,
    ...credential,
  });
  return (await response.json()) as Awaited<ReturnType<typeof newCredential>>;
}

/** Sets switches; see switches.ts for what there is. */
export async function setSwitches(simulatorUrl: string, switches: object): Promise<void> {
  await postJson(`${simulatorUrl}/simulator/switches`, switches);
}

export interface CredentialState {
  readonly lastOtp: string | null;
  readonly pinLocked: boolean;
  readonly otpLocked: boolean;
  readonly sads: readonly {
    readonly state: string;
    readonly remaining: number;
    readonly numSignatures: number;
  }[];
  readonly calls: readonly CallRecord[];
}

export async function credentialState(
  simulatorUrl: string,
  credentialID: string,
): Promise<CredentialState> {
  const { credentials } = await simulatorState(simulatorUrl, credentialID);
  const found = credentials[credentialID];
  if (found === undefined) throw new Error(`No credential ${credentialID}`);
  return found;
}

export async function simulatorState(
  simulatorUrl: string,
  credentialID?: string,
): Promise<{ credentials: Record<string, CredentialState>; calls: CallRecord[] }> {
  const query =
    credentialID === undefined ? '' : `?${new URLSearchParams({ credentialID }).toString()}`;
  const response = await fetch(`${simulatorUrl}/simulator/state${query}`);
  return (await response.json()) as Awaited<ReturnType<typeof simulatorState>>;
}

async function postJson(url: string, body: object): Promise<Response> {
  const response = await fetch(url, { method: 'POST', body: JSON.stringify(body) });
  if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`);
  return response;
}

const post = (
  base: URL,
  path: string,
  fields: Record<string, string>,
  cookie = '',
): Promise<Response> =>
  fetch(new URL(path, base), {
    method: 'POST',
    redirect: 'manual',
    headers: { cookie },
    body: new URLSearchParams(fields),
  });

function requestIn(page: string): string {
  const value = /name="request" value="([^"]+)"/.exec(page)?.[1];
  if (value === undefined) throw new Error('The CA showed no form.');
  return value;
}
