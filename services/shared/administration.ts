import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { defaultOverlapHours, mostOverlapHours } from '../../domain/api-key.ts';
import { isTimeZone } from '../../domain/calendar.ts';
import type { Clock } from '../../domain/clock.ts';
import { Problem } from '../../domain/errors.ts';
import { leastPasswordLength, mostPasswordLength } from '../../domain/passwords.ts';
import { roles, type Role } from '../../domain/roles.ts';
import * as store from '../../infra/postgres/administration.ts';
import * as keys from '../../infra/postgres/api-keys.ts';
import { recordAudit } from '../../infra/postgres/audit.ts';
import { endInvitations } from '../../infra/postgres/invitations.ts';
import { signalGrant, type Writer } from '../../infra/postgres/outbox.ts';
import { inTransaction, type Database, type Queryable } from '../../infra/postgres/pool.ts';
import { hashSecret, newSecret, type Sealer } from '../../infra/postgres/sealing.ts';
import { endSessionsOfNobody } from '../../infra/postgres/sessions.ts';
import { hashPassword } from './passwords.ts';

/** With something to see in it; blanks around it are taken off. */
export const text = (most: number) =>
  z
    .string()
    .regex(/[^\s\uFEFF]/, 'a value is expected')
    .max(most)
    .trim();
const httpUrl = z.url({ protocol: /^https?$/, error: 'a URL with http or https is expected' });
/** Languages that the product speaks. */
const locales = ['pt-PT', 'en'] as const;

const settingsSchema = z.strictObject({
  name: text(200),
  timeZone: z
    .string()
    .min(1)
    .refine(isTimeZone, 'an IANA time zone is expected, such as Europe/Lisbon')
    .default('Europe/Lisbon'),
  reminderHour: z
    .number('a whole hour from 0 to 23 is expected')
    .int('a whole hour from 0 to 23 is expected')
    .min(0, 'a whole hour from 0 to 23 is expected')
    .max(23, 'a whole hour from 0 to 23 is expected')
    .default(9),
  locale: z.enum(locales, `one of ${locales.join(', ')} is expected`).default('pt-PT'),
});
export const localeSchema = settingsSchema.shape.locale.unwrap();
export const accountChangesSchema = z
  .strictObject({
    name: settingsSchema.shape.name,
    timeZone: settingsSchema.shape.timeZone.unwrap(),
    reminderHour: settingsSchema.shape.reminderHour.unwrap(),
    locale: localeSchema,
  })
  .partial();
export const roleSchema = z.enum(roles, `one of ${roles.join(', ')} is expected`);
export const passwordSchema = z
  .string()
  .min(leastPasswordLength, `at least ${String(leastPasswordLength)} characters are expected`)
  .max(mostPasswordLength, `at most ${String(mostPasswordLength)} characters are expected`);
/** What mail servers take (RFC 5321 4.5.3.1): up to 64 characters before the @; labels of up to 63 that neither begin nor end with a hyphen after it. */
const emailAddress = z
  .email({
    pattern:
      /^(?=.{1,64}@)(?:[A-Za-z0-9_'+-]+\.)*[A-Za-z0-9_'+-]*[A-Za-z0-9_+-]@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}$/,
    error: 'an e-mail address is expected',
  })
  .max(254);
export const operatorSchema = z.strictObject({
  account: text(200),
  email: emailAddress,
  name: text(200),
  locale: settingsSchema.shape.locale,
  role: roleSchema.default('operator'),
  password: passwordSchema.optional(),
});
const authoritySchema = z.strictObject({
  name: text(200),
  baseUri: httpUrl,
  clientId: text(200),
  clientSecret: z.string().min(1, 'a value is expected').max(1000),
  clientAccountUrl: httpUrl.optional(),
});
const certificateSchema = z.strictObject({
  account: text(200),
  authority: text(200),
  alias: text(100),
  subject: text(1000),
  issuer: text(1000),
  serial: text(100),
  notAfter: z.iso
    .datetime({
      offset: true,
      error: 'an RFC 3339 instant is expected, such as 2027-01-31T12:00:00Z',
    })
    .transform((value) => new Date(value)),
  credentialId: text(500),
  caAccount: text(254),
});
const clientServiceSchema = z.strictObject({
  certificateId: text(100),
  alias: text(100),
  status: z.enum(['active', 'inactive'], 'active or inactive is expected').default('active'),
});
export const apiKeySchema = z.strictObject({
  account: text(200),
  name: text(100),
  certificateIds: z.array(text(100)).min(1, 'at least one certificate is expected').optional(),
});
const wholeHours = `a whole number of hours from 0 to ${String(mostOverlapHours)} is expected`;
export const rotationSchema = z.strictObject({
  overlapHours: z
    .number(wholeHours)
    .int(wholeHours)
    .min(0, wholeHours)
    .max(mostOverlapHours, wholeHours)
    .default(defaultOverlapHours)
    .meta({ description: 'For how long the secret before goes on working; 0 ends it at once.' }),
});

export type AdministrationOptions = {
  readonly database: Database;
  readonly clock: Clock;
  /** Needed only to enter certificate authorities, whose client secret is sealed. */
  readonly sealer?: Sealer;
  /** Who is told in the audit. */
  readonly actor?: string;
  /** Whose relay delivers what has to be said to workflows. */
  readonly writtenBy?: Writer;
};

export type NewOperatorResult = {
  readonly operatorId: string;
  readonly accountId: string;
  readonly role: Role;
  /** Shown this once, and only when it was made here. */
  readonly password?: string;
};

/** What the key is, in full; only its hash is kept. */
export type NewApiKey = keys.NewApiKey & { readonly apiKey: string };
export type RotatedApiKey = {
  readonly apiKeyId: string;
  readonly accountId: string;
  readonly name: string;
  /** The new secret, in full; only its hash is kept. */
  readonly apiKey: string;
  /** Until then, and not including, the secret before works too. */
  readonly oldSecretEndsAt: Date;
};

export type Administration = ReturnType<typeof createAdministration>;

/**
 * Enters and changes what is not an operator's daily work (DESIGN 7): each call is one transaction with its audit event. Accounts and certificate
 * authorities are named by id or by name. Throws Problems: `invalid_request` with faults, `not_found`, `already_exists` with the field.
 */
export function createAdministration(options: AdministrationOptions) {
  const { database, clock, sealer, actor = 'admin', writtenBy = 'admin' } = options;

  const transaction = <T>(work: (tx: Queryable, now: Date) => Promise<T>): Promise<T> =>
    inTransaction(database, (tx) => work(tx, clock.now()));
  const audit = (
    tx: Queryable,
    event: Omit<Parameters<typeof recordAudit>[1], 'actor'>,
  ): Promise<void> => recordAudit(tx, { actor, ...event });

  return {
    async createAccount(input: z.input<typeof settingsSchema>): Promise<store.Account> {
      const account = { accountId: randomUUID(), ...parse(settingsSchema, input) };
      const { accountId, ...settings } = account;
      await transaction(async (tx, now) => {
        await store.insertAccount(tx, account, now);
        await audit(tx, {
          at: now,
          action: 'account_created',
          accountId,
          subject: `account:${accountId}`,
          details: settings,
        });
      });
      return account;
    },

    listAccounts: () => store.listAccounts(database),

    /** Every open grant's workflow looks again, since its next reminder may have another instant now. */
    async updateAccount(
      idOrName: string,
      input: z.input<typeof accountChangesSchema>,
    ): Promise<store.Account> {
      const changes = withoutUndefined(parse(accountChangesSchema, input));
      return transaction(async (tx, now) => {
        const before = await store.getAccount(tx, idOrName, { forUpdate: true });
        const after: store.Account = { ...before, ...changes };
        await store.updateAccount(tx, before.accountId, after);
        for (const grantId of await store.openGrantIds(tx, before.accountId)) {
          await signalGrant(tx, writtenBy, grantId, { name: 'accountChanged', payload: {} }, now);
        }
        await audit(tx, {
          at: now,
          action: 'account_changed',
          accountId: before.accountId,
          subject: `account:${before.accountId}`,
          details: { from: pick(before, Object.keys(changes)), to: changes },
        });
        return after;
      });
    },

    /**
     * An operator with this address who is there already (of another account) keeps name and password and is given the role here. Somebody who was invited
     * and has chosen no password yet is given this one.
     */
    async createOperator(input: z.input<typeof operatorSchema>): Promise<NewOperatorResult> {
      const { account, role, password, ...person } = parse(operatorSchema, input);
      const newPassword = password ?? newSecret().slice(0, 20);
      const passwordHash = await hashPassword(newPassword);
      return transaction(async (tx, now) => {
        const { accountId } = await store.getAccount(tx, account);
        const newId = randomUUID();
        const { operatorId, passwordSet } = await store.insertOperator(
          tx,
          { operatorId: newId, passwordHash, ...person },
          now,
        );
        if (!passwordSet) await store.setFirstPassword(tx, operatorId, passwordHash);
        await store.insertMembership(tx, { accountId, operatorId, role }, now);
        const isNew = operatorId === newId;
        await audit(tx, {
          at: now,
          action: 'operator_added',
          accountId,
          subject: `operator:${operatorId}`,
          details: { role, isNew, passwordGiven: !passwordSet },
        });
        const shown = !passwordSet && password === undefined ? { password: newPassword } : {};
        return { operatorId, accountId, role, ...shown };
      });
    },

    listOperators: async (account?: string) =>
      store.listOperators(database, await accountIdOf(account)),

    /** Throws `last_admin` when the account would have no administrator any more. */
    async setRole(account: string, operator: string, input: Role): Promise<void> {
      const newRole = parse(roleSchema, input);
      await transaction(async (tx, now) => {
        const { accountId } = await store.getAccount(tx, account);
        const before = await store.lockOperator(tx, accountId, operator);
        if (newRole !== 'admin') await requireAnotherAdmin(tx, before);
        await store.updateRole(tx, accountId, before.operatorId, newRole);
        await audit(tx, {
          at: now,
          action: 'operator_role_changed',
          accountId,
          subject: `operator:${before.operatorId}`,
          details: { from: before.role, to: newRole },
        });
      });
    },

    /** The language in which the operator is spoken to, in every account. */
    async setLocale(operatorId: string, input: z.input<typeof localeSchema>): Promise<void> {
      const locale = parse(localeSchema, input);
      await transaction(async (tx, now) => {
        const before = await store.updateOperatorLocale(tx, operatorId, locale);
        await audit(tx, {
          at: now,
          action: 'operator_locale_changed',
          subject: `operator:${operatorId}`,
          details: { from: before, to: locale },
        });
      });
    },

    /**
     * Takes the operator out of the account and voids their invitation. What they may do is asked at each call, so sessions end only where no account is left
     * to be seen: an administrator of one account cannot sign out the operators of another. Throws `last_admin` as `setRole` does.
     */
    async removeOperator(account: string, operator: string): Promise<void> {
      await transaction(async (tx, now) => {
        const { accountId } = await store.getAccount(tx, account);
        const before = await store.lockOperator(tx, accountId, operator);
        const { operatorId } = before;
        await requireAnotherAdmin(tx, before);
        await store.deleteMembership(tx, accountId, operatorId);
        await endInvitations(tx, accountId, operatorId, 'removed', now);
        const endedSessions = await endSessionsOfNobody(tx, operatorId, now);
        await audit(tx, {
          at: now,
          action: 'operator_removed',
          accountId,
          subject: `operator:${operatorId}`,
          details: { endedSessions },
        });
      });
    },

    async createAuthority(input: z.input<typeof authoritySchema>): Promise<store.Authority> {
      const { clientSecret, clientAccountUrl, ...rest } = parse(authoritySchema, input);
      if (sealer === undefined) throw new Error('a certificate authority needs a sealer');
      const authority = { authorityId: randomUUID(), clientAccountUrl, ...rest };
      const { authorityId, ...described } = authority;
      const sealedClientSecret = sealer.seal(clientSecret, authorityId);
      await transaction(async (tx, now) => {
        await store.insertAuthority(tx, { ...authority, sealedClientSecret }, now);
        await audit(tx, {
          at: now,
          action: 'authority_created',
          subject: `certificate_authority:${authorityId}`,
          details: described,
        });
      });
      return authority;
    },

    listAuthorities: () => store.listAuthorities(database),

    /** Another client secret, as the CA gave it; processes use it from their next call on. */
    async setClientSecret(idOrName: string, input: string): Promise<void> {
      const { clientSecret } = parse(authoritySchema.pick({ clientSecret: true }), {
        clientSecret: input,
      });
      if (sealer === undefined) throw new Error('a client secret needs a sealer');
      await transaction(async (tx, now) => {
        const { authorityId } = await store.getAuthority(tx, idOrName);
        const sealed = sealer.seal(clientSecret, authorityId);
        await store.updateClientSecret(tx, authorityId, sealed);
        await audit(tx, {
          at: now,
          action: 'authority_secret_changed',
          subject: `certificate_authority:${authorityId}`,
        });
      });
    },

    async createCertificate(input: z.input<typeof certificateSchema>): Promise<store.Certificate> {
      const { account, authority, ...rest } = parse(certificateSchema, input);
      return transaction(async (tx, now) => {
        const { accountId } = await store.getAccount(tx, account);
        const { authorityId } = await store.getAuthority(tx, authority);
        const certificate = { certificateId: randomUUID(), accountId, authorityId, ...rest };
        const { certificateId, alias, serial, notAfter, credentialId } = certificate;
        await store.insertCertificate(tx, certificate, now);
        await audit(tx, {
          at: now,
          action: 'certificate_created',
          accountId,
          certificateId,
          subject: `certificate:${certificateId}`,
          // Not the client account, nor the subject, which may hold a person's address.
          details: { alias, authorityId, serial, notAfter, credentialId },
        });
        return certificate;
      });
    },

    listCertificates: async (account?: string) =>
      store.listCertificates(database, await accountIdOf(account)),

    async createClientService(
      input: z.input<typeof clientServiceSchema>,
    ): Promise<store.ClientService> {
      const service = { clientServiceId: randomUUID(), ...parse(clientServiceSchema, input) };
      const { clientServiceId, certificateId, alias, status } = service;
      await inTransaction(database, async (tx) => {
        const { accountId, now } = await store.insertClientService(tx, service, () => clock.now());
        await audit(tx, {
          at: now,
          action: 'client_service_created',
          accountId,
          certificateId,
          subject: `client_service:${clientServiceId}`,
          details: { alias, status },
        });
      });
      return service;
    },

    listClientServices: (certificateId?: string) =>
      store.listClientServices(database, certificateId),

    /** The key is shown this once. */
    async createApiKey(input: z.input<typeof apiKeySchema>): Promise<NewApiKey> {
      const { account, name, certificateIds } = parse(apiKeySchema, input);
      const apiKey = newApiKeySecret();
      return transaction(async (tx, now) => {
        const { accountId } = await store.getAccount(tx, account);
        const key = { apiKeyId: randomUUID(), accountId, name, certificateIds, createdAt: now };
        await keys.insertApiKey(tx, { ...key, keyHash: hashSecret(apiKey) });
        await audit(tx, {
          at: now,
          action: 'api_key_created',
          accountId,
          subject: `api_key:${key.apiKeyId}`,
          details: { name, ...(certificateIds && { certificateIds }) },
        });
        return { ...key, apiKey };
      });
    },

    listApiKeys: async (account?: string): Promise<keys.ApiKey[]> =>
      keys.listApiKeys(database, { accountId: await accountIdOf(account) }, clock.now()),

    /** A new secret for the same key, shown this once; the one before works on for the hours given. With an account, only a key of that account. */
    async rotateApiKey(
      apiKeyId: string,
      input: z.input<typeof rotationSchema> = {},
      account?: string,
    ): Promise<RotatedApiKey> {
      const { overlapHours } = parse(rotationSchema, input);
      const onlyOf = await accountIdOf(account);
      const apiKey = newApiKeySecret();
      return inTransaction(database, async (tx) => {
        const { accountId, name, endsAt, now } = await keys.rotateApiKey(
          tx,
          { apiKeyId, accountId: onlyOf },
          { keyHash: hashSecret(apiKey), overlapHours },
          () => clock.now(),
        );
        await audit(tx, {
          at: now,
          action: 'api_key_rotated',
          accountId,
          subject: `api_key:${apiKeyId}`,
          details: { name, oldSecretEndsAt: endsAt.toISOString() },
        });
        return { apiKeyId, accountId, name, apiKey, oldSecretEndsAt: endsAt };
      });
    },

    /** With an account, only a key of that account. */
    async revokeApiKey(apiKeyId: string, account?: string): Promise<void> {
      const onlyOf = await accountIdOf(account);
      await transaction(async (tx, now) => {
        const { accountId, name } = await keys.revokeApiKey(
          tx,
          { apiKeyId, accountId: onlyOf },
          now,
        );
        await audit(tx, {
          at: now,
          action: 'api_key_revoked',
          accountId,
          subject: `api_key:${apiKeyId}`,
          details: { name },
        });
      });
    },
  };

  async function accountIdOf(account: string | undefined): Promise<string | undefined> {
    return account === undefined
      ? undefined
      : (await store.getAccount(database, account)).accountId;
  }
}

/** The prefix lets scanners of repositories and logs find one that went astray. */
const newApiKeySecret = (): string => `ca_${newSecret()}`;

/** Under the lock of the account that `lockOperator` took, so that two administrators cannot take the role from each other at once. */
async function requireAnotherAdmin(
  tx: Queryable,
  { accountId, operatorId, role }: store.OperatorOfAccount,
): Promise<void> {
  if (role !== 'admin') return;
  const operators = await store.listOperators(tx, accountId);
  const isOther = (other: store.OperatorOfAccount) => other.operatorId !== operatorId;
  if (!operators.some((other) => isOther(other) && other.role === 'admin')) {
    throw new Problem('last_admin');
  }
}

/** Faults are told by field, never with the value, which may be a secret. */
function parse<S extends z.ZodType>(schema: S, input: unknown): z.output<S> {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  throw new Problem('invalid_request', {
    faults: parsed.error.issues.map(({ path, message }) => ({ path: path.join('.'), message })),
  });
}

const pick = (values: object, names: readonly string[]): Record<string, unknown> =>
  Object.fromEntries(Object.entries(values).filter(([name]) => names.includes(name)));

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

const withoutUndefined = <T extends object>(values: T): Defined<T> =>
  Object.fromEntries(
    Object.entries(values).filter(([, value]) => value !== undefined),
  ) as Defined<T>;
