import {
  clientAccount,
  credentialPin,
  demonstrationAccount,
  demonstrationOperators,
} from './demonstration.ts';
import type { Folders } from './folders.ts';
import { topicNames } from './parts.ts';
import type { Demonstration, SeededCertificate } from './seed.ts';
import type { Urls } from './services.ts';

/** `.local/stack.json` (DESIGN 8), for scripts. */
export type StackFile = {
  readonly urls: Urls;
  readonly operators: readonly {
    readonly email: string;
    readonly password: string;
    readonly role: string;
    readonly account: string;
  }[];
  /** As they are sent to the gate. */
  readonly apiKeys: readonly string[];
  readonly certificates: readonly SeededCertificate[];
  readonly kafka: { readonly brokers: readonly string[]; readonly topics: typeof topicNames };
  readonly ca: { readonly clientAccount: typeof clientAccount; readonly pin: string };
};

export function presentStack({
  urls,
  demonstration,
  kafkaBrokers,
}: {
  readonly urls: Urls;
  readonly demonstration: Demonstration;
  readonly kafkaBrokers: readonly string[];
}): StackFile {
  return {
    urls,
    operators: demonstrationOperators.map(({ email, password, role }) => ({
      email,
      password,
      role,
      account: demonstrationAccount,
    })),
    apiKeys: [demonstration.apiKey.key],
    certificates: demonstration.certificates,
    kafka: { brokers: kafkaBrokers, topics: topicNames },
    ca: { clientAccount, pin: credentialPin },
  };
}

/** What a person needs, in one table. */
export function presentTable({
  stack,
  folders,
  temporalAddress,
  databaseUrl,
}: {
  readonly stack: StackFile;
  readonly folders: Folders;
  readonly temporalAddress: string;
  readonly databaseUrl: string;
}): string {
  const { urls, ca } = stack;
  const rows: [string, string][] = [
    ['Backoffice', `${urls.backoffice}/certificates`],
    ...stack.operators.map(({ email, password, role }): [string, string] => [
      `  sign in (${role})`,
      `${email}   ${password}`,
    ]),
    ['CA simulator', urls.caSimulator],
    [
      '  client account',
      `${ca.clientAccount.email}   ${ca.clientAccount.password}   PIN ${ca.pin}`,
    ],
    ['  phone with the OTP', urls.caPhone],
    ['Mailbox', urls.mailbox],
    ['Temporal UI', urls.temporalUi],
    ['Gate', `${urls.gate}/openapi.json`],
    ['Usage, worker', `${urls.usage}/metrics, ${urls.worker}/metrics`],
    ['Temporal, Kafka', `${temporalAddress}, ${stack.kafka.brokers.join(',')}`],
    ['PostgreSQL', withoutPassword(databaseUrl)],
    ...stack.certificates.map(({ alias, standing, clientServices }): [string, string] => [
      `Certificate ${standing}`,
      `${alias} (${clientServices.map((each) => `${each.alias}: ${each.status}`).join(', ')})`,
    ]),
    ['For scripts', folders.stackFile],
    ['For npm run admin', `set -a; . ${folders.environmentFile}; set +a`],
    ['Logs', folders.logs],
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  const lines = rows.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`);
  const rule = '-'.repeat(Math.min(100, Math.max(...lines.map(({ length }) => length))));
  return ['', rule, ...lines, rule].join('\n');
}

function withoutPassword(databaseUrl: string): string {
  const url = new URL(databaseUrl);
  url.password = '';
  return url.href;
}
