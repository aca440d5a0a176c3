import { randomUUID } from 'node:crypto';
import type { Clock } from '../../domain/clock.ts';
import type { GrantFacts } from '../../domain/facts.ts';
import { regulationPolicy, type Policy } from '../../domain/policy.ts';
import { recordGrant } from '../../infra/postgres/grant-recording.ts';
import { loadFacts } from '../../infra/postgres/grants.ts';
import {
  claimOutboxRows,
  markDelivered,
  type Destination,
  type OutboxRow,
} from '../../infra/postgres/outbox-relay.ts';
import { inTransaction, openDatabase, type Database } from '../../infra/postgres/pool.ts';
import type { ServiceRole } from '../../infra/postgres/rights.ts';
import { openRenewal } from '../../infra/postgres/renewal-opening.ts';
import { awaitCode, claimAuthorization } from '../../infra/postgres/renewal-steps.ts';
import type { RenewalStore } from '../../infra/postgres/renewals.ts';
import { sealTokens } from '../../infra/postgres/sealed-tokens.ts';
import {
  createSealer,
  hashSecret,
  newSecret,
  type Keyring,
  type Sealer,
} from '../../infra/postgres/sealing.ts';
import { chargeGrants } from '../../infra/postgres/usage-counters.ts';
import { createTestDatabase } from './database.ts';

export type WorldCertificate = {
  readonly certificateId: string;
  readonly accountId: string;
  readonly operatorIds: readonly string[];
};

export type World = {
  /** As superuser: for fixtures, and for looking at what a service has done. */
  readonly database: Database;
  /** What a service works with. */
  storeAs(role: ServiceRole): RenewalStore;
  urlAs(role: ServiceRole): string;
  readonly sealer: Sealer;
  /** An account in Lisbon with these operators, and a certificate with two active services and an inactive one. */
  addCertificate(operators?: readonly string[]): Promise<WorldCertificate>;
  /** The click on Renew; answers the grant's id. */
  request(certificate: WorldCertificate): Promise<string>;
  /** Back from the CA, which asks for a code: the window of two minutes is open. */
  openCodeWindow(certificate: WorldCertificate, grantId: string): Promise<void>;
  /** The CA is being asked. */
  authorize(certificate: WorldCertificate, grantId: string): Promise<void>;
  /** The CA accepted, after all the steps before. */
  obtain(
    certificate: WorldCertificate,
    terms?: Partial<Terms> & { readonly afterEachStep?: () => Promise<void> },
  ): Promise<string>;
  use(grantId: string, signatures: number): Promise<void>;
  facts(grantId: string): Promise<GrantFacts>;
  serviceStatuses(certificate: WorldCertificate): Promise<string[]>;
  /** Takes what waits in the outbox, and forgets it when `deliver` has had it. */
  deliver(destination: Destination, deliver: (row: OutboxRow) => Promise<void>): Promise<number>;
  close(): Promise<void>;
};

type Terms = {
  readonly expiresInSeconds: number;
  readonly allowance: number;
  readonly sad: string;
  readonly accessToken: string;
  readonly refreshToken: string;
};

const keyring: Keyring = [{ id: 'test', key: Buffer.alloc(32, 7) }];

/** A database of its own, with facts brought about by the product's own steps at the clock's time. */
export async function createWorld(clock: Clock, figures: Partial<Policy> = {}): Promise<World> {
  const policy: Policy = { ...regulationPolicy, ...figures };
  const test = await createTestDatabase();
  const database = openDatabase({ url: test.url, applicationName: 'test' });
  const sealer = createSealer(keyring);
  const storeAs = (role: ServiceRole) => ({ database: test.as(role), clock, policy });
  const backoffice = storeAs('backoffice');
  const authorityId = randomUUID();
  await database.query(
    `insert into certificate_authorities (authority_id, name, base_uri, client_id, sealed_client_secret, created_at)
     values ($1, 'Test CA', 'http://127.0.0.1:9/csc/v2', 'platform', $2, $3)`,
    [authorityId, sealer.seal('client-secret', authorityId), clock.now()],
  );

  const world: World = {
    database,
    storeAs,
    urlAs: (role) => test.urlAs(role),
    sealer,

    async addCertificate(operators = ['ana', 'rui']) {
      const now = clock.now();
      const [accountId, certificateId] = [randomUUID(), randomUUID()];
      await database.query(
        'insert into accounts (account_id, name, created_at) values ($1, $2, $3)',
        [accountId, `Account ${accountId}`, now],
      );
      const operatorIds: string[] = [];
      for (const name of operators) {
        const operatorId = randomUUID();
        operatorIds.push(operatorId);
        await database.query(
          `insert into operators (operator_id, email, name, locale, password_hash, created_at)
           values ($1, $2, $3, 'en', 'none', $4)`,
          [operatorId, `${name}.${accountId}@example.test`, `Operator ${name}`, now],
        );
        await database.query(
          `insert into account_operators (account_id, operator_id, role, created_at) values ($1, $2, 'operator', $3)`,
          [accountId, operatorId, now],
        );
      }
      await database.query(
        `insert into certificates (certificate_id, account_id, authority_id, alias, subject, issuer, serial, not_after, credential_id,
           ca_account, created_at)
         values ($1, $2, $3, 'Seal', 'CN=Seal', 'CN=Test CA', '01', $4, $1, 'client', $5)`,
        [
          certificateId,
          accountId,
          authorityId,
          new Date(now.getTime() + 3 * 365 * 86_400_000),
          now,
        ],
      );
      for (const [alias, status] of [
        ['Archive', 'active'],
        ['Invoices', 'active'],
        ['Old', 'inactive'],
      ]) {
        await database.query(
          `insert into client_services (client_service_id, certificate_id, alias, status, created_at) values ($1, $2, $3, $4, $5)`,
          [randomUUID(), certificateId, alias, status, now],
        );
      }
      return { certificateId, accountId, operatorIds };
    },

    async request({ certificateId, operatorIds }) {
      const renewalId = randomUUID();
      await openRenewal(backoffice, {
        ...{ renewalId, certificateId, takeOver: false },
        operatorId: operatorIds[0] ?? '',
        stateHash: hashSecret(newSecret()),
        browserHash: hashSecret(newSecret()),
        sealedVerifier: sealer.seal('verifier', renewalId),
      });
      return renewalId;
    },

    async openCodeWindow({ certificateId }, renewalId) {
      await awaitCode(
        backoffice,
        { renewalId, certificateId },
        {
          sealedTokens: sealTokens(sealer, { accessToken: 'canary-access' }, renewalId),
          factors: [{ name: 'pin', label: 'PIN', required: true, online: false, numeric: true }],
          multisign: 2_000_000_000,
        },
      );
    },

    async authorize({ certificateId }, renewalId) {
      await claimAuthorization(backoffice, { renewalId, certificateId }, 20_000, ['pin']);
    },

    async obtain(certificate, terms = {}) {
      const { afterEachStep = () => Promise.resolve() } = terms;
      const renewalId = await world.request(certificate);
      await afterEachStep();
      await world.openCodeWindow(certificate, renewalId);
      await afterEachStep();
      await world.authorize(certificate, renewalId);
      await afterEachStep();
      const { accessToken = 'canary-access', refreshToken = 'canary-refresh' } = terms;
      const recorded = await recordGrant(
        backoffice,
        { renewalId, certificateId: certificate.certificateId },
        {
          calledAt: clock.now(),
          expiresInSeconds: terms.expiresInSeconds ?? policy.grantSeconds,
          allowance: terms.allowance ?? policy.allowance,
          sealedSad: sealer.seal(terms.sad ?? 'canary-sad', renewalId),
          sealedTokens: sealTokens(sealer, { accessToken, refreshToken }, renewalId),
          tokensExpireAt: new Date(clock.now().getTime() + 3_600_000),
          factorNames: ['pin'],
        },
      );
      if (recorded.kind !== 'recorded') throw new Error(`not granted: ${recorded.kind}`);
      return renewalId;
    },

    async use(grantId, signatures) {
      const now = clock.now();
      const lastSecond = Math.floor(now.getTime() / 1000);
      await inTransaction(test.as('usage'), (tx) =>
        chargeGrants(tx, [{ grantId, signatures, lastSecond }], { policy, now }),
      );
    },

    async facts(grantId) {
      const facts = await loadFacts(database, grantId, clock.now(), policy);
      if (facts === undefined) throw new Error(`no renewal ${grantId}`);
      return facts;
    },

    async serviceStatuses({ certificateId }) {
      const { rows } = await database.query<{ status: string }>(
        'select s.status from client_services as s where s.certificate_id = $1 order by s.alias',
        [certificateId],
      );
      return rows.map(({ status }) => status);
    },

    async deliver(destination, deliver) {
      let count = 0;
      for (;;) {
        const rows = await claimOutboxRows(test.as('worker'), {
          ...{ destination, writtenBy: 'all', minAgeMs: 0, leaseMs: 20_000, limit: 50 },
          now: clock.now(),
        });
        if (rows.length === 0) return count;
        for (const row of rows) {
          await deliver(row);
          await markDelivered(test.as('worker'), row.outboxId, clock.now());
          count += 1;
        }
      }
    },

    async close() {
      await database.end();
      await test.drop();
    },
  };
  return world;
}
