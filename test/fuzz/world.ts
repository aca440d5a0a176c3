import { waitUntil } from '../../infra/development/wait-until.ts';
import {
  createOperatorDriver,
  expectAnswer,
  renew,
  type OperatorDriver,
} from '../../services/stack/operator-driver.ts';
import {
  clientAccount,
  enterAccount,
  enterCertificate,
  newPin,
  type CertificateToEnter,
  type EnteredAccount,
  type EnteredCertificate,
  type EnteredOperator,
} from '../support/entries.ts';
import type { System } from '../support/system.ts';

/** What a fuzzer needs to come further than "not found": who it is, and what is there. Nothing is among it that the fuzzer itself signs in with. */
export type FuzzWorld = {
  readonly admin: EnteredOperator;
  readonly apiKey: string;
  readonly there: Readonly<{
    accounts: readonly string[];
    operators: readonly string[];
    invited: readonly string[];
    invitationTokens: readonly string[];
    /** To choose a password with, as an operator who does nothing else. */
    resetTokens: readonly string[];
    apiKeys: readonly string[];
    sessions: readonly string[];
    certificates: readonly string[];
    /** To be stopped in an emergency: nothing else is done with them. */
    stoppable: readonly string[];
    /** To be renewed: nothing else is done with them. */
    renewable: readonly string[];
    /** A certificate in force that is not stopped, with its services. */
    inForce: readonly string[];
    clientServices: readonly string[];
    /** Another, of which only the gate is asked, with what may sign with it and its grant. */
    signing: readonly string[];
    signingServices: readonly string[];
    signingGrants: readonly string[];
    renewals: readonly string[];
    /** Renewals that wait for this PIN. */
    waiting: readonly string[];
    pins: readonly string[];
    /** To be abandoned. */
    open: readonly string[];
    mails: readonly string[];
    /** Of somebody whom the fuzzer may sign in as beside. */
    emails: readonly string[];
    passwords: readonly string[];
  }>;
};
export type ThereKind = keyof FuzzWorld['there'];

const noFactors = { factors: {} };
const pin = newPin();
const pinOnly: CertificateToEnter = { factors: { pin: true }, services: [], pin };

/** An account with certificates in every standing, renewals open and ended, operators, keys and mails. */
export async function enterFuzzWorld(system: System): Promise<FuzzWorld> {
  const account = await enterAccount(system);
  const signIn = async ({ email, password }: EnteredOperator): Promise<OperatorDriver> => {
    const driver = createOperatorDriver(system.urls.backoffice);
    expectAnswer(await driver.signIn(email, password), 200);
    return driver;
  };
  const boss = await signIn(account.operators.admin);
  await signIn(account.operators.admin);
  const settings = `/api/accounts/${account.accountId}`;
  const enter = (wanted: CertificateToEnter): Promise<EnteredCertificate> =>
    enterCertificate(system, account, wanted);
  const granted = async (lifetimeSeconds?: number): Promise<EnteredCertificate> => {
    const services = { services: ['One', 'Two'], inactiveServices: ['Three'] };
    const certificate = await enter({ ...noFactors, ...services });
    await renew(boss, {
      certificateId: certificate.id,
      credentialId: certificate.credentialId,
      simulatorUrl: system.urls.simulator,
      ...clientAccount,
      ...(lifetimeSeconds !== undefined && { lifetimeSeconds }),
    });
    return certificate;
  };
  const opened = async (certificate: EnteredCertificate, goesToCa: boolean): Promise<string> => {
    const renewal = expectAnswer(await boss.openRenewal(certificate.id), 201) as Opened;
    if (goesToCa) await boss.comeBack(await boss.visitCa(renewal.redirectTo, clientAccount));
    return renewal.id;
  };

  const inForce = await granted();
  const signing = await granted();
  const lapsed = await granted(1);
  const stoppable = [await granted(), await granted()];
  const waitingFor = await Promise.all([enter(pinOnly), enter(pinOnly), enter(pinOnly)]);
  const renewable = await Promise.all([enter(pinOnly), enter(pinOnly)]);
  const waiting = await Promise.all(waitingFor.map((certificate) => opened(certificate, true)));
  const open = [
    await opened(await enter(pinOnly), false),
    await opened(await enter(pinOnly), true),
  ];
  const ended = await idsAt(boss, '/api/renewals?state=granted');
  for (const name of ['one', 'two', 'three']) {
    expectAnswer(await boss.call('POST', `${settings}/api-keys`, { name }), 201);
  }
  const invited = await invite(boss, settings, account);
  const operators = await idsAt(boss, `${settings}/operators`);
  const own = expectAnswer(await boss.call('GET', '/api/session'), 200) as Whoami;
  const keys = await itemsAt(boss, `${settings}/api-keys`);
  const colleague = account.operators.operator;
  return {
    admin: account.operators.admin,
    apiKey: account.apiKey,
    there: {
      accounts: [account.accountId],
      operators: operators.filter((id) => id !== own.operator.id),
      invited: invited.map(({ id }) => id),
      invitationTokens: await Promise.all(
        invited.map(({ email }) => tokenFor(system, email, 'invitation')),
      ),
      resetTokens: [await resetTokenOf(system, account.operators.viewer)],
      apiKeys: keys.filter(({ name }) => name !== 'signer').map(({ id }) => id),
      sessions: await idsAt(boss, '/api/sessions'),
      certificates: [inForce, lapsed, ...waitingFor].map(({ id }) => id),
      stoppable: stoppable.map(({ id }) => id),
      renewable: renewable.map(({ id }) => id),
      inForce: [inForce.id],
      clientServices: inForce.services.map(({ id }) => id),
      signing: [signing.id],
      signingServices: signing.services.slice(0, 2).map(({ id }) => id),
      signingGrants: [await grantOf(boss, signing)],
      renewals: [...ended, ...waiting, ...open],
      waiting,
      pins: [pin],
      open,
      mails: await mailsAbout(boss, lapsed),
      emails: [colleague.email],
      passwords: [colleague.password],
    },
  };
}

type Opened = { readonly id: string; readonly redirectTo: string };
type Whoami = { readonly operator: { readonly id: string } };
type Item = { readonly id: string; readonly name?: string };

async function itemsAt(driver: OperatorDriver, path: string): Promise<readonly Item[]> {
  const { items } = expectAnswer(await driver.call('GET', path), 200) as { items: Item[] };
  return items;
}

const idsAt = async (driver: OperatorDriver, path: string): Promise<string[]> =>
  (await itemsAt(driver, path)).map(({ id }) => id);

async function grantOf(driver: OperatorDriver, { id }: EnteredCertificate): Promise<string> {
  const seen = expectAnswer(await driver.call('GET', `/api/certificates/${id}`), 200);
  return (seen as { access: { grantId: string } }).access.grantId;
}

const invite = (driver: OperatorDriver, settings: string, { accountId }: EnteredAccount) =>
  Promise.all(
    ['first', 'second', 'third'].map(async (name) => {
      const email = `${name}-${accountId}@example.test`;
      const added = await driver.call('POST', `${settings}/operators`, { email, name });
      const { operator } = expectAnswer(added, 201) as { operator: { id: string } };
      return { id: operator.id, email };
    }),
  );

async function resetTokenOf(system: System, { email }: EnteredOperator): Promise<string> {
  const stranger = createOperatorDriver(system.urls.backoffice);
  expectAnswer(await stranger.call('POST', '/api/password-resets', { email }), 202);
  return tokenFor(system, email, 'password-reset');
}

/** As it stands in the mail. */
const tokenFor = (
  system: System,
  email: string,
  page: 'invitation' | 'password-reset',
): Promise<string> =>
  waitUntil(
    async () => {
      const { messages } = await system.mailbox.list('limit=100');
      for (const mail of messages.filter(({ To }) => To[0]?.Address === email)) {
        const { Text } = await system.mailbox.message(mail.ID);
        const token = new RegExp(`/${page}#([\\w-]+)`).exec(Text)?.[1];
        if (token !== undefined) return token;
      }
      return undefined;
    },
    { what: `No mail with a link to ${page} came`, deadlineMs: 20_000 },
  );

const mailsAbout = (driver: OperatorDriver, { id }: EnteredCertificate): Promise<string[]> =>
  waitUntil(
    async () => {
      const mails = await idsAt(driver, `/api/certificates/${id}/timeline?type=mail`);
      const ids = mails.flatMap((mail) => /^mail-(.*)$/.exec(mail)?.[1] ?? []);
      return ids.length > 0 && ids;
    },
    { what: 'No mail told of the lapse', deadlineMs: 20_000 },
  );
