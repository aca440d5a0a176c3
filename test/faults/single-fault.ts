import { randomUUID } from 'node:crypto';
import { expect } from '@jest/globals';
import { regulationPolicy } from '../../domain/policy.ts';
import type { Producer } from '../../infra/kafka/producer.ts';
import { enterAccount, type EnteredAccount, type EnteredCertificate } from '../support/entries.ts';
import { eventually, mailsAbout } from '../support/from-outside.ts';
import type { ServiceName, System } from '../support/system.ts';
import { behindFacts } from './behind.ts';
import { factsOf, outstandingRows } from './settle.ts';
import { describeWorkflow } from './temporal-view.ts';

/** What the tests of one fault at a time have in common. */

/** Sweeps as often as an impatient test needs; every figure of the policy is the regulation's. */
export const impatient = { WORKER_SWEEP_SECONDS: '2', WORKER_OVERDUE_SECONDS: '2' };

/** Far above what it takes: a machine that is busy with other tests is slow, and the product's own pauses after an outage add up. */
export const recoveryMs = 60_000;

/** An account where it is about noon: a grant in its last week is reminded of at once, and no other day of mails begins during the test. */
export async function enterAccountAtNoon(system: System): Promise<EnteredAccount> {
  const account = await enterAccount(system);
  const hours = 12 - new Date().getUTCHours();
  // The sign of these zones is that of POSIX: the other way round.
  const zone = hours === 0 ? 'UTC' : `Etc/GMT${hours > 0 ? '-' : '+'}${Math.abs(hours)}`;
  await system.database.query('update accounts set time_zone = $2 where account_id = $1', [
    account.accountId,
    zone,
  ]);
  return account;
}

export const emailsOf = ({ operators }: EnteredAccount): string[] =>
  Object.values(operators)
    .map(({ email }) => email)
    .sort();

/** Who got mails about a certificate, by the sort of mail, each list sorted: a name twice is a mail too many. */
export async function toldAbout(
  system: System,
  certificate: EnteredCertificate,
): Promise<{ readonly lapse: string[]; readonly others: string[] }> {
  const mails = await mailsAbout(system, certificate);
  const isLapse = ({ subject }: { readonly subject: string }) =>
    subject.startsWith('Signing stopped: ');
  const addresses = (some: typeof mails) => some.map(({ to }) => to).sort();
  return {
    lapse: addresses(mails.filter(isLapse)),
    others: addresses(mails.filter((mail) => !isLapse(mail))),
  };
}

/** What a service says of itself and its parts. */
async function readinessOf(
  { readyUrls }: System,
  service: ServiceName,
): Promise<{ status: number; dependencies: Record<string, { ok: boolean } | undefined> }> {
  const response = await fetch(readyUrls[service], { signal: AbortSignal.timeout(5_000) });
  const { dependencies } = (await response.json()) as {
    dependencies: Record<string, { ok: boolean } | undefined>;
  };
  return { status: response.status, dependencies };
}

export const becomesReady = (system: System, service: ServiceName): Promise<true> =>
  eventually(
    `${service} is not ready again`,
    async () => (await readinessOf(system, service)).status === 200,
    recoveryMs,
  );

export async function expectReady(
  system: System,
  expected: Readonly<Record<ServiceName, boolean>>,
): Promise<void> {
  const services = Object.keys(expected) as ServiceName[];
  const found = await Promise.all(
    services.map(async (service) => [service, (await readinessOf(system, service)).status === 200]),
  );
  expect(Object.fromEntries(found)).toEqual(expected);
}

/** Waits until nothing of the certificates is outstanding: no open renewal, no row that waits, no workflow behind its facts. */
export async function untilQuiet(
  system: System,
  certificates: readonly EnteredCertificate[],
): Promise<void> {
  const ids = certificates.map(({ id }) => id);
  let outstanding: readonly unknown[] = [];
  await eventually(
    'Something is still outstanding',
    async () => {
      outstanding = await outstandingRows(system.database, ids);
      if (outstanding.length > 0) return false;
      const now = new Date();
      const facts = await factsOf(system.database, ids, regulationPolicy);
      const behind = await Promise.all(
        facts.map(async (each) =>
          behindFacts(each, await describeWorkflow(system, each.grantId), now, regulationPolicy),
        ),
      );
      outstanding = behind.filter((each) => each !== undefined);
      return outstanding.length === 0;
    },
    recoveryMs,
  ).catch((error: unknown) => {
    throw new Error(`${(error as Error).message}: ${outstanding.join('; ')}`, { cause: error });
  });
}

/** Reports signatures as a signing service does, and resolves when Kafka has the record. Answers the event's id. */
export async function reportSignatures(
  producer: Producer,
  { kafka }: System,
  report: {
    readonly certificate: EnteredCertificate;
    readonly count: number;
    readonly id?: string;
  },
): Promise<string> {
  const { certificate, count, id = randomUUID() } = report;
  const event = { id, certificateId: certificate.id, time: new Date().toISOString(), count };
  await producer.send(kafka.topics.signatures, certificate.id, JSON.stringify(event));
  return id;
}
