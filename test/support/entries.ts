import { randomBytes } from 'node:crypto';
import { newCredential } from '../../infra/ca/csc-simulator/testing.ts';
import { defaultAccounts } from '../../infra/ca/csc-simulator/default-data.ts';
import type { Role } from '../../domain/roles.ts';
import type { System } from './system.ts';

/** An operator as entered, with what they sign in with. */
export type EnteredOperator = {
  readonly email: string;
  readonly name: string;
  readonly password: string;
};

/** An account with an operator of each role and a key for the gate. */
export type EnteredAccount = {
  readonly accountId: string;
  readonly authorityId: string;
  readonly operators: Readonly<Record<Role, EnteredOperator>>;
  readonly apiKey: string;
};

export type EnteredService = { readonly id: string; readonly alias: string };

export type EnteredCertificate = {
  readonly id: string;
  readonly alias: string;
  readonly credentialId: string;
  readonly pin: string;
  readonly services: readonly EnteredService[];
};

const [holder, somebodyElse] = defaultAccounts;
if (holder === undefined || somebodyElse === undefined) throw new Error('two accounts are needed');
/** The client account at the CA that holds the credentials of the tests, and one that does not. */
export const clientAccount = { account: holder.email, password: holder.password };
export const wrongClientAccount = { account: somebodyElse.email, password: somebodyElse.password };

export const uniqueName = (what: string): string => `${what} ${randomBytes(3).toString('hex')}`;

/** Long enough not to be found in a log by chance. */
export const newPin = (): string => String(10 ** 15 + randomBytes(6).readUIntBE(0, 6));

/** With its own CA entry, which leads to the simulator unless told otherwise. */
export async function enterAccount(
  { administration, urls, caClientSecret }: System,
  { caBaseUri = `${urls.simulator}/csc/v1` }: { readonly caBaseUri?: string } = {},
): Promise<EnteredAccount> {
  const unique = randomBytes(3).toString('hex');
  const { accountId } = await administration.createAccount({ name: `Account ${unique}` });
  const { authorityId } = await administration.createAuthority({
    name: `CA ${unique}`,
    baseUri: caBaseUri,
    clientId: 'certificate-access',
    clientSecret: caClientSecret,
  });
  const enter = async (role: Role): Promise<EnteredOperator> => {
    const operator = {
      email: `${role}-${unique}@example.test`,
      name: `${role} of ${unique}`,
      password: `password ${randomBytes(9).toString('hex')}`,
    };
    await administration.createOperator({ account: accountId, role, locale: 'en', ...operator });
    return operator;
  };
  const [admin, operator, viewer] = await Promise.all([
    enter('admin'),
    enter('operator'),
    enter('viewer'),
  ]);
  const { apiKey } = await administration.createApiKey({ account: accountId, name: 'signer' });
  return { accountId, authorityId, operators: { admin, operator, viewer }, apiKey };
}

export type CertificateToEnter = {
  /** What the CA asks for; PIN and an OTP by phone when not given. */
  readonly factors?: { readonly pin?: true; readonly otp?: 'online' | 'offline' };
  /** Active unless named here as inactive. */
  readonly services?: readonly string[];
  readonly inactiveServices?: readonly string[];
  /** One of its own unless given. */
  readonly pin?: string;
  /** A key pair of its own; otherwise credentials share one, which saves the time of making it. */
  readonly ownKey?: true;
};

/** A credential of its own at the simulator, and the certificate for it. */
export async function enterCertificate(
  { administration, urls }: System,
  { accountId, authorityId }: EnteredAccount,
  wanted: CertificateToEnter = {},
): Promise<EnteredCertificate> {
  const { factors = { pin: true, otp: 'online' }, services = ['Invoices'] } = wanted;
  const { pin = newPin() } = wanted;
  const { credentialID, ...described } = await newCredential(urls.simulator, {
    account: clientAccount.account,
    ...(factors.pin && { pin: { value: pin } }),
    ...(factors.otp && { otp: { type: factors.otp } }),
    ownKey: wanted.ownKey ?? false,
  });
  const { subject, issuer, serial, notAfter } = described;
  const { certificateId, alias } = await administration.createCertificate({
    account: accountId,
    authority: authorityId,
    alias: uniqueName('Seal'),
    ...{ subject, issuer, serial, notAfter },
    credentialId: credentialID,
    caAccount: clientAccount.account,
  });
  const entered: EnteredService[] = [];
  for (const status of ['active', 'inactive'] as const) {
    for (const name of (status === 'active' ? services : wanted.inactiveServices) ?? []) {
      const service = { certificateId, alias: name, status };
      const { clientServiceId } = await administration.createClientService(service);
      entered.push({ id: clientServiceId, alias: name });
    }
  }
  return { id: certificateId, alias, credentialId: credentialID, pin, services: entered };
}
