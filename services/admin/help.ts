import type { Command } from './command.ts';
import { commands } from './commands.ts';
import { rolesAdminVariables } from './config.ts';

const line = (left: string, right: string): string => `  ${left.padEnd(30)} ${right}`;

export function generalHelp(): string {
  return [
    'Enters what is not an operator’s daily work. Prints JSON; each change is audited.',
    '',
    'npm run --silent admin -- <command> [--option value ...]',
    '',
    line('roles', 'Create the roles of the database that are missing, and hand it to its owner'),
    line('migrate', 'Bring the database’s schema and rights up to date'),
    line('topics', 'Create the Kafka topics that are missing'),
    ...Object.entries(commands).map(([name, { summary }]) => line(name, summary)),
    '',
    'Options of a command: npm run --silent admin -- <command> --help',
    'Environment: DATABASE_URL, of another role for "roles" and "migrate"; SEALING_KEYS for "ca create", "ca set-secret" and "sealing"; KAFKA_BROKERS for "topics".',
  ].join('\n');
}

export function rolesHelp(): string {
  return [
    'Creates the roles of the database that are missing, gives them the passwords that are given here, and hands the database and its tables to the',
    'migrations’ role. Safe to repeat. DATABASE_URL is of a superuser, or of the owner of all of it who may create roles.',
    '',
    ...Object.entries(rolesAdminVariables)
      .filter(([name]) => name.startsWith('DATABASE_PASSWORD_'))
      .map(([name, { description }]) => line(name, description)),
  ].join('\n');
}

export function commandHelp(name: string, { summary, options, secret }: Command): string {
  return [
    `${summary}.`,
    '',
    `npm run --silent admin -- ${name} ${Object.keys(options).length > 0 ? '[--option value ...]' : ''}`.trimEnd(),
    '',
    ...Object.entries(options).map(([option, { description, required: isRequired }]) =>
      line(`--${option} <value>`, `${description}${isRequired ? ' (required)' : ''}`),
    ),
    ...(secret === undefined
      ? []
      : [
          line(
            `--${secret.flag}`,
            `read from standard input: ${secret.description} (or set ${secret.variable})${secret.required ? ' (required)' : ''}`,
          ),
        ]),
  ].join('\n');
}
