import { join } from 'node:path';
import { pino } from 'pino';
import { waitUntil } from '../../infra/development/wait-until.ts';
import { developmentClientSecret } from '../../infra/ca/csc-simulator/server.ts';
import { createProducer } from '../../infra/kafka/producer.ts';
import type { Account, Certificate } from '../../infra/postgres/administration.ts';
import { followDatabaseClock } from '../../infra/postgres/clock.ts';
import { openDatabase } from '../../infra/postgres/pool.ts';
import { createSealer } from '../../infra/postgres/sealing.ts';
import { createAdministration, type Administration } from '../shared/administration.ts';
import type { SealingKeys } from '../shared/common-config.ts';
import {
  authorityClientId,
  authorityName,
  clientAccount,
  credentialPin,
  demonstrationAccount,
  demonstrationCertificates,
  demonstrationOperators,
  signingApiKeyName,
  type DemonstrationCertificate,
} from './demonstration.ts';
import { readJson, writePrivate } from './keys.ts';
import {
  createOperatorDriver,
  expectAnswer,
  renew,
  type OperatorDriver,
} from './operator-driver.ts';
import { topicNames } from './parts.ts';
import type { Say } from './progress.ts';
import type { Urls } from './services.ts';

export type SeedOptions = {
  readonly databaseUrl: string;
  readonly sealingKeys: SealingKeys;
  readonly kafkaBrokers: readonly string[];
  readonly urls: Pick<Urls, 'backoffice' | 'caSimulator'>;
  /** Where the API key is kept between starts: the platform itself shows it only once. */
  readonly dataFolder: string;
  readonly say: Say;
};

export type SeededCertificate = {
  readonly id: string;
  readonly alias: string;
  readonly standing: string;
  readonly clientServices: readonly {
    readonly id: string;
    readonly alias: string;
    readonly status: string;
  }[];
};

export type Demonstration = {
  readonly account: Account;
  readonly apiKey: { readonly id: string; readonly name: string; readonly key: string };
  /** As they stand now. */
  readonly certificates: readonly SeededCertificate[];
};

/**
 * Sees that the demonstration account is there, with a certificate in each standing. What is entered goes the way of `npm run admin`; grants are obtained
 * as an operator obtains them, so nothing is back-dated. What a start before this one has made is found and not repeated.
 */
export async function seed(options: SeedOptions): Promise<Demonstration> {
  const database = openDatabase({ url: options.databaseUrl, applicationName: 'seed' });
  const clock = await followDatabaseClock(database);
  try {
    const sealer = createSealer(
      options.sealingKeys.map(({ id, key }) => ({ id, key: Buffer.from(key) })),
    );
    const administration = createAdministration({ database, clock, sealer });
    const account = await enterAccount(administration);
    const apiKey = await enterApiKey(administration, account, options.dataFolder);
    const certificates = await enterCertificates(administration, account, options.urls);
    await Promise.all(certificates.map((entered) => bringToStanding(entered, options)));
    const driver = await signedIn(options.urls.backoffice);
    const standing = await Promise.all(
      certificates.map(async ({ certificate }) => present(await detail(driver, certificate))),
    );
    return { account, apiKey, certificates: standing };
  } finally {
    clock.stop();
    await database.end();
  }
}

async function enterAccount(administration: Administration): Promise<Account> {
  const account =
    (await administration.listAccounts()).find(({ name }) => name === demonstrationAccount) ??
    (await administration.createAccount({ name: demonstrationAccount }));
  const present = new Set(
    (await administration.listOperators(account.accountId)).map(({ email }) => email),
  );
  for (const operator of demonstrationOperators.filter(({ email }) => !present.has(email))) {
    await administration.createOperator({ account: account.accountId, ...operator });
  }
  return account;
}

async function enterApiKey(
  administration: Administration,
  { accountId }: Account,
  dataFolder: string,
): Promise<Demonstration['apiKey']> {
  const file = join(dataFolder, 'api-key.json');
  const kept = await readJson<Demonstration['apiKey']>(file);
  const present = (await administration.listApiKeys(accountId)).find(
    ({ name, revokedAt }) => name === signingApiKeyName && revokedAt === undefined,
  );
  if (present !== undefined && kept?.id === present.apiKeyId) return kept;
  // Nobody has this key any more.
  if (present !== undefined) await administration.revokeApiKey(present.apiKeyId);
  const made = await administration.createApiKey({ account: accountId, name: signingApiKeyName });
  const key = { id: made.apiKeyId, name: made.name, key: made.apiKey };
  await writePrivate(file, JSON.stringify(key));
  return key;
}

type Entered = { readonly wanted: DemonstrationCertificate; readonly certificate: Certificate };

async function enterCertificates(
  administration: Administration,
  { accountId }: Account,
  { caSimulator }: SeedOptions['urls'],
): Promise<Entered[]> {
  const authority =
    (await administration.listAuthorities()).find(({ name }) => name === authorityName) ??
    (await administration.createAuthority({
      name: authorityName,
      baseUri: `${caSimulator}/csc/v1`,
      clientId: authorityClientId,
      clientSecret: developmentClientSecret,
      clientAccountUrl: `${caSimulator}/`,
    }));
  if (!authority.baseUri.startsWith(`${caSimulator}/`)) {
    throw new Error(
      `The data kept here was made with the CA simulator at ${new URL(authority.baseUri).origin}: choose that port with CA_SIMULATOR_PORT, or begin anew with "npm start -- --fresh".`,
    );
  }
  const present = await administration.listCertificates(accountId);
  const described = await describeCredentials(caSimulator);
  const entered: Entered[] = [];
  for (const wanted of demonstrationCertificates) {
    const { alias, credentialId } = wanted;
    const found = present.find((each) => each.credentialId === credentialId);
    const certificate =
      found ??
      (await administration.createCertificate({
        account: accountId,
        authority: authority.authorityId,
        alias,
        credentialId,
        caAccount: clientAccount.email,
        ...described(credentialId),
      }));
    const { certificateId } = certificate;
    const services = new Set(
      (await administration.listClientServices(certificateId)).map((each) => each.alias),
    );
    for (const service of wanted.clientServices.filter((each) => !services.has(each))) {
      await administration.createClientService({ certificateId, alias: service });
    }
    entered.push({ wanted, certificate });
  }
  return entered;
}

type CertificateText = {
  readonly subject: string;
  readonly issuer: string;
  readonly serial: string;
  readonly notAfter: string;
};

async function describeCredentials(
  caSimulator: string,
): Promise<(credentialId: string) => CertificateText> {
  const response = await fetch(`${caSimulator}/simulator/state`, {
    signal: AbortSignal.timeout(10_000),
  });
  const state = (await response.json()) as { credentials: Record<string, CertificateText> };
  return (credentialId) => {
    const found = state.credentials[credentialId];
    if (found === undefined) throw new Error(`the CA simulator has no credential ${credentialId}`);
    const { subject, issuer, serial, notAfter } = found;
    return { subject, issuer, serial, notAfter };
  };
}

async function signedIn(backofficeUrl: string): Promise<OperatorDriver> {
  const operator = demonstrationOperators.find(({ role }) => role === 'operator');
  if (operator === undefined) throw new Error('the demonstration has no operator');
  const driver = createOperatorDriver(backofficeUrl);
  expectAnswer(await driver.signIn(operator.email, operator.password), 200);
  return driver;
}

type Detail = {
  readonly id: string;
  readonly alias: string;
  readonly access: { readonly standing: string; readonly used: number; readonly grantId?: string };
  readonly clientServices: readonly {
    readonly id: string;
    readonly alias: string;
    readonly status: string;
  }[];
};

async function detail(driver: OperatorDriver, certificate: Certificate): Promise<Detail> {
  const path = `/api/certificates/${certificate.certificateId}`;
  return expectAnswer(await driver.call('GET', path), 200) as Detail;
}

const present = ({ id, alias, access, clientServices }: Detail): SeededCertificate => ({
  id,
  alias,
  standing: access.standing,
  clientServices: clientServices.map((service) => ({
    id: service.id,
    alias: service.alias,
    status: service.status,
  })),
});

/** Renews a certificate that was never granted, and lets happen to the grant what is to be shown. Each step is skipped when it was taken before. */
async function bringToStanding(
  { wanted, certificate }: Entered,
  options: SeedOptions,
): Promise<void> {
  const { grant, alias } = wanted;
  if (grant === undefined) return;
  const driver = await signedIn(options.urls.backoffice);
  const before = await detail(driver, certificate);
  if (before.access.standing === 'none') {
    await renew(driver, {
      certificateId: certificate.certificateId,
      credentialId: wanted.credentialId,
      simulatorUrl: options.urls.caSimulator,
      account: clientAccount.email,
      password: clientAccount.password,
      pin: credentialPin,
      ...(grant.lifetimeSeconds !== undefined && { lifetimeSeconds: grant.lifetimeSeconds }),
      ...(grant.multisign !== undefined && { multisign: grant.multisign }),
    });
    options.say(`  ${alias}: access renewed at the simulator`);
  }
  if (grant.signatures !== undefined)
    await reportSignatures(driver, certificate, grant.signatures, options);
  if (grant.lapses && before.access.standing === 'none') {
    await waitUntil(
      async () => {
        const { access, clientServices } = await detail(driver, certificate);
        return (
          access.standing === 'lapsed' &&
          clientServices.every(({ status }) => status === 'suspended')
        );
      },
      {
        what: `The client services of ${alias} were not suspended`,
        deadlineMs: 60_000,
        intervalMs: 250,
      },
    );
    options.say(`  ${alias}: access lapsed, client services suspended`);
  }
}

/** As a signing service reports them. The ids are made of the certificate's, so a report that is repeated counts once. */
async function reportSignatures(
  driver: OperatorDriver,
  certificate: Certificate,
  signatures: number,
  { kafkaBrokers, say }: SeedOptions,
): Promise<void> {
  const { certificateId } = certificate;
  const { access } = await detail(driver, certificate);
  if (access.used >= signatures || access.standing === 'lapsed') return;
  const producer = createProducer({
    brokers: kafkaBrokers,
    clientId: 'seed',
    log: pino({ level: 'silent' }),
  });
  const value = {
    id: `seed-${certificateId}`,
    certificateId,
    time: new Date().toISOString(),
    count: signatures,
  };
  try {
    await producer.send(topicNames.signatures, certificateId, JSON.stringify(value));
  } finally {
    await producer.stop();
  }
  await waitUntil(async () => (await detail(driver, certificate)).access.used >= signatures, {
    what: `The signatures of ${certificate.alias} were not counted`,
    deadlineMs: 60_000,
    intervalMs: 250,
  });
  say(`  ${certificate.alias}: ${signatures} signatures counted`);
}
