import { regulationPolicy, type Policy } from '../../domain/policy.ts';
import type { Role } from '../../domain/roles.ts';
import { startSimulator, developmentClientSecret } from '../../infra/ca/csc-simulator/server.ts';
import { freePort } from '../../infra/development/ports.ts';
import { followDatabaseClock } from '../../infra/postgres/clock.ts';
import { openDatabase, type Database } from '../../infra/postgres/pool.ts';
import type { RenewalStore } from '../../infra/postgres/renewals.ts';
import type { ServiceRole } from '../../infra/postgres/rights.ts';
import { followScreenChanges } from '../../infra/postgres/screen-changes.ts';
import { createSealer, type Sealer } from '../../infra/postgres/sealing.ts';
import { createBackoffice, type BackofficeOptions } from '../../services/backoffice/app.ts';
import { createAdministration, type Administration } from '../../services/shared/administration.ts';
import { createLog } from '../../services/shared/log.ts';
import { createMetrics } from '../../services/shared/metrics.ts';
import { createBrowser } from '../../services/stack/browser.ts';
import {
  createOperatorDriver,
  expectAnswer,
  lastOtp,
  type CaVisit,
  type OperatorDriver,
} from '../../services/stack/operator-driver.ts';
import { createTestDatabase } from './database.ts';

export const sealingKey = { id: 'test', key: Buffer.alloc(32, 7) };
export const pin = '1234';
export const caAccount: CaVisit = { account: 'ana@cliente.example', password: 'ana-no-simulador' };
export const otherCaAccount: CaVisit = {
  account: 'outro@cliente.example',
  password: 'outro-no-simulador',
};

/** A clock on PostgreSQL's that can be set ahead, so that no test waits for minutes to pass. */
export type TestClock = RenewalStore['clock'] & { advance(seconds: number): void };

export type TestCertificate = {
  readonly certificateId: string;
  readonly credentialId: string;
  readonly serviceIds: readonly string[];
};
export type CertificateWish = {
  readonly factors?: readonly ('pin' | 'otp' | 'offline otp')[];
  readonly multisign?: number;
  readonly services?: number;
  readonly notAfter?: string;
  /** Another account than the usual one, with its client account at the CA. */
  readonly owner?: { readonly accountId: string; readonly atCa: CaVisit };
};

export type TestBackoffice = {
  readonly url: string;
  /** As the backoffice. */
  readonly databaseUrl: string;
  /** As superuser: for fixtures, and for looking at what the backoffice has done. */
  readonly database: Database;
  /** As the backoffice. */
  readonly store: RenewalStore;
  storeAs(role: ServiceRole): RenewalStore;
  readonly clock: TestClock;
  readonly sealer: Sealer;
  readonly simulatorUrl: string;
  readonly accountId: string;
  readonly administration: Administration;
  /** Lines of the log so far. */
  readonly logged: readonly string[];
  /** Signed in; each call is another browser. */
  signedIn(name: OperatorName): Promise<OperatorDriver>;
  operatorId(name: OperatorName): string;
  removeOperator(name: OperatorName): Promise<void>;
  newCertificate(wish?: CertificateWish): Promise<TestCertificate>;
  /** Sets switches of the CA, for one credential or for everything. */
  switchCa(credentialId: string | undefined, switches: object): Promise<void>;
  /** How many calls of a method have reached the CA, about one credential or in all. */
  caCalls(credentialId: string | undefined, method: string): Promise<number>;
  close(): Promise<void>;
};

const people = {
  ana: 'operator',
  rui: 'operator',
  vera: 'viewer',
  alda: 'admin',
} as const satisfies Record<string, Role>;
export type OperatorName = keyof typeof people | 'stranger' | 'leaver';
export const operatorPassword = 'a long enough password';

/** The backoffice over real HTTP on a database of its own, with a real CA simulator, an account with operators, and nothing else. */
export async function startTestBackoffice(
  figures: Partial<Policy> = {},
  caTimeouts = { callMs: 1_000, authorizeMs: 1_500 },
  settings: Partial<
    Pick<BackofficeOptions, 'publicUrl' | 'trustedProxies' | 'hstsIncludesSubdomains'>
  > = {},
): Promise<TestBackoffice> {
  const policy = { ...regulationPolicy, ...figures };
  const [testDatabase, simulator, port] = await Promise.all([
    createTestDatabase(),
    startSimulator({ port: 0, withDefaultCredentials: false }),
    freePort(),
  ]);
  const database = openDatabase({ url: testDatabase.url, applicationName: 'test' });
  const following = await followDatabaseClock(database);
  const changes = followScreenChanges({
    url: testDatabase.urlAs('backoffice'),
    applicationName: 'backoffice test',
  });
  let aheadMs = 0;
  const clock: TestClock = {
    now: () => new Date(following.now().getTime() + aheadMs),
    advance(seconds) {
      aheadMs += seconds * 1000;
    },
  };
  const storeAs = (role: ServiceRole) => ({ database: testDatabase.as(role), clock, policy });
  const store = storeAs('backoffice');
  const sealer = createSealer([sealingKey]);
  const administration = createAdministration({
    database: testDatabase.as('admin'),
    clock,
    sealer,
  });
  const account = await administration.createAccount({ name: 'Loja Azul' });
  await administration.createAccount({ name: 'Somebody else' });
  const operatorIds = new Map<string, string>();
  const everybody = { ...people, stranger: 'admin', leaver: 'operator' } as const;
  for (const [name, role] of Object.entries(everybody)) {
    const { operatorId } = await administration.createOperator({
      account: name === 'stranger' ? 'Somebody else' : 'Loja Azul',
      email: `${name}@loja.example`,
      name: `Operator ${name}`,
      role,
      password: operatorPassword,
    });
    operatorIds.set(name, operatorId);
  }
  const { authorityId } = await administration.createAuthority({
    name: 'The simulated CA',
    baseUri: `${simulator.url}/csc/v1`,
    clientId: 'certificate-access',
    clientSecret: developmentClientSecret,
    clientAccountUrl: simulator.url,
  });
  const url = `http://127.0.0.1:${port}`;
  const logged: string[] = [];
  const http = await createBackoffice({
    store,
    sealer,
    publicUrl: url,
    changes,
    sessionLimits: { idleSeconds: 28_800, absoluteSeconds: 604_800 },
    caTimeouts,
    workflowsUrl: 'http://127.0.0.1:8233/namespaces/default/workflows',
    log: createLog({
      service: 'backoffice',
      level: 'debug',
      destination: {
        write(line) {
          logged.push(line);
        },
      },
    }),
    metrics: createMetrics('backoffice'),
    dependencies: {},
    checkResponses: true,
    ...settings,
  }).listen({ port });

  const post = async (path: string, body: object): Promise<unknown> => {
    const response = await fetch(simulator.url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return response.status === 204 ? undefined : response.json();
  };

  let serial = 0;
  return {
    url,
    databaseUrl: testDatabase.urlAs('backoffice'),
    database,
    store,
    storeAs,
    clock,
    sealer,
    simulatorUrl: simulator.url,
    accountId: account.accountId,
    administration,
    logged,
    async signedIn(name) {
      const driver = createOperatorDriver(url, createBrowser());
      expectAnswer(await driver.signIn(`${name}@loja.example`, operatorPassword), 200);
      return driver;
    },
    operatorId: (name) => operatorIds.get(name) ?? '',
    removeOperator: (name) =>
      administration.removeOperator(account.accountId, operatorIds.get(name) ?? ''),
    async newCertificate({
      factors = ['pin', 'otp'],
      multisign,
      services = 0,
      notAfter,
      owner = { accountId: account.accountId, atCa: caAccount },
    } = {}) {
      serial += 1;
      const credentialId = `credential-${serial}`;
      const asked = new Set<string>(factors);
      const made = (await post('/simulator/credentials', {
        credentialID: credentialId,
        account: owner.atCa.account,
        ...(asked.has('pin') && { pin: { value: pin } }),
        ...(asked.has('otp') && { otp: { type: 'online' } }),
        ...(asked.has('offline otp') && { otp: { type: 'offline' } }),
        ...(multisign !== undefined && { multisign }),
      })) as { subject: string; issuer: string; serial: string; notAfter: string };
      const { certificateId } = await administration.createCertificate({
        account: owner.accountId,
        authority: authorityId,
        alias: `Seal ${serial}`,
        subject: made.subject,
        issuer: made.issuer,
        serial: made.serial,
        notAfter: notAfter ?? made.notAfter,
        credentialId,
        caAccount: owner.atCa.account,
      });
      const serviceIds: string[] = [];
      for (let number = 1; number <= services; number += 1) {
        const alias = `service ${number}`;
        const made = await administration.createClientService({ certificateId, alias });
        serviceIds.push(made.clientServiceId);
      }
      return { certificateId, credentialId, serviceIds };
    },
    async switchCa(credentialID, switches) {
      await post('/simulator/switches', { ...(credentialID && { credentialID }), ...switches });
    },
    async caCalls(credentialId, method) {
      const query = credentialId === undefined ? '' : `?credentialID=${credentialId}`;
      const state = await fetch(`${simulator.url}/simulator/state${query}`);
      const { calls } = (await state.json()) as { calls: { method: string }[] };
      return calls.filter((call) => call.method === method).length;
    },
    async close() {
      await http.stop(0);
      await changes.stop();
      await simulator.close();
      following.stop();
      await database.end();
      await testDatabase.drop();
    },
  };
}

export type OpenedRenewal = { readonly id: string; readonly redirectTo: string };

/** Presses Renew. */
export async function open(
  driver: OperatorDriver,
  { certificateId }: TestCertificate,
  body: { takeOver?: boolean } = {},
): Promise<OpenedRenewal> {
  return expectAnswer(await driver.openRenewal(certificateId, body), 201) as OpenedRenewal;
}

/** Renew, the CA's pages and back; answers the id of the renewal. */
export async function goToCaAndBack(
  driver: OperatorDriver,
  certificate: TestCertificate,
  visit: Partial<CaVisit> = {},
): Promise<string> {
  const { id, redirectTo } = await open(driver, certificate);
  const callback = await driver.visitCa(redirectTo, { ...caAccount, ...visit });
  const page = await driver.comeBack(callback);
  if (page.status !== 303) throw new Error(`the callback answered ${page.status}`);
  return id;
}

/** PIN and the code last sent, as far as the certificate asks for them. */
export async function typedFactors(
  backoffice: TestBackoffice,
  { credentialId }: TestCertificate,
): Promise<{ pin: string; otp?: string }> {
  const otp = await lastOtp(backoffice.simulatorUrl, credentialId).catch(() => undefined);
  return { pin, ...(otp !== undefined && { otp }) };
}

/** A whole renewal; answers the id of the grant. */
export async function obtainGrant(
  backoffice: TestBackoffice,
  driver: OperatorDriver,
  certificate: TestCertificate,
  visit: Partial<CaVisit> = {},
): Promise<string> {
  const id = await goToCaAndBack(driver, certificate, visit);
  const renewal = expectAnswer(await driver.renewal(id), 200) as { state: string };
  if (renewal.state === 'awaiting_code') {
    expectAnswer(await driver.authorize(id, await typedFactors(backoffice, certificate)), 200);
  }
  return id;
}

/** All that is stored of a certificate's grants and services, to compare before and after: what failed must have left it as it was. */
export async function accessSnapshot(
  { database }: Pick<TestBackoffice, 'database'>,
  { certificateId }: TestCertificate,
): Promise<unknown> {
  const { rows: grants } = await database.query(
    'select g.*, u.used from access_grants as g join usage_counters as u on u.grant_id = g.grant_id where g.certificate_id = $1 order by g.effective_at',
    [certificateId],
  );
  const { rows: services } = await database.query(
    'select s.*, p.suspension_id, p.lifted_at from client_services as s left join suspensions as p on p.client_service_id = s.client_service_id where s.certificate_id = $1 order by s.alias',
    [certificateId],
  );
  return { grants: grants as unknown[], services: services as unknown[] };
}
