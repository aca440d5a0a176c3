import { defaultOverlapHours, mostOverlapHours } from '../../domain/api-key.ts';
import { auditCommands } from './audit-commands.ts';
import { sealingCommands } from './sealing-commands.ts';
import { done, ofAccount, optional, required, type Command, type Given } from './command.ts';

const clientSecret = {
  description: 'OAuth client secret that the CA gave this platform',
  flag: 'client-secret-stdin',
  variable: 'CA_CLIENT_SECRET',
  required: true,
} as const;

/** Every command of two words. What is checked about the values is told in services/shared/administration.ts. */
export const commands: Readonly<Record<string, Command>> = {
  'account create': {
    summary: 'Enter an account (a customer)',
    options: {
      name: required('name of the account'),
      'time-zone': optional('IANA time zone; Europe/Lisbon when not given'),
      'reminder-hour': optional('hour of the day at which reminders are sent, 0 to 23; 9'),
      locale: optional('language: pt-PT or en; pt-PT'),
    },
    run: (administration, given) =>
      administration.createAccount({ name: given.text('name'), ...settingsOf(given) }),
  },
  'account list': {
    summary: 'List the accounts',
    options: {},
    run: (administration) => administration.listAccounts(),
  },
  'account update': {
    summary: 'Change the settings of an account',
    options: {
      account: required('id or name'),
      name: optional('new name'),
      'time-zone': optional('IANA time zone'),
      'reminder-hour': optional('hour of the day at which reminders are sent, 0 to 23'),
      locale: optional('language: pt-PT or en'),
    },
    run: (administration, given) =>
      administration.updateAccount(given.text('account'), {
        ...present('name', given.optional('name')),
        ...settingsOf(given),
      }),
  },
  'operator create': {
    summary: 'Enter an operator of an account; without a password one is made and shown this once',
    options: {
      account: required('id or name of the account'),
      email: required('e-mail address, which is also the sign-in'),
      name: required('name of the person'),
      role: optional('viewer, operator or admin; operator'),
      locale: optional('language: pt-PT or en; pt-PT'),
    },
    secret: {
      description: 'password, at least 12 characters',
      flag: 'password-stdin',
      variable: 'OPERATOR_PASSWORD',
    },
    run: (administration, given) =>
      administration.createOperator({
        account: given.text('account'),
        email: given.text('email'),
        name: given.text('name'),
        ...present('role', given.optional('role') as 'operator' | undefined),
        ...present('locale', given.optional('locale') as 'en' | undefined),
        ...present('password', given.secret),
      }),
  },
  'operator list': {
    summary: 'List the operators',
    options: ofAccount,
    run: (administration, given) => administration.listOperators(given.optional('account')),
  },
  'operator set-role': {
    summary: 'Change the role of an operator in an account',
    options: {
      account: required('id or name of the account'),
      operator: required('id or e-mail address'),
      role: required('viewer, operator or admin'),
    },
    run: (administration, given) =>
      done(
        administration.setRole(
          given.text('account'),
          given.text('operator'),
          given.text('role') as 'operator',
        ),
      ),
  },
  'operator remove': {
    summary: 'Take an operator out of an account and end their sessions',
    options: {
      account: required('id or name of the account'),
      operator: required('id or e-mail address'),
    },
    run: (administration, given) =>
      done(administration.removeOperator(given.text('account'), given.text('operator'))),
  },
  'ca create': {
    summary: 'Enter a certificate authority',
    options: {
      name: required('name as operators know it'),
      'base-uri': required('base URI of its CSC service, such as https://ca.example/csc/v1/'),
      'client-id': required('OAuth client id that the CA gave this platform'),
      'client-account-url': optional('where a client confirms the access to their client account'),
    },
    secret: clientSecret,
    seals: true,
    run: (administration, given) =>
      administration.createAuthority({
        name: given.text('name'),
        baseUri: given.text('base-uri'),
        clientId: given.text('client-id'),
        clientSecret: given.secret ?? '',
        ...present('clientAccountUrl', given.optional('client-account-url')),
      }),
  },
  'ca set-secret': {
    summary: 'Enter another client secret of a certificate authority',
    options: { authority: required('id or name of the certificate authority') },
    secret: clientSecret,
    seals: true,
    run: (administration, given) =>
      done(administration.setClientSecret(given.text('authority'), given.secret ?? '')),
  },
  'ca list': {
    summary: 'List the certificate authorities',
    options: {},
    run: (administration) => administration.listAuthorities(),
  },
  'certificate create': {
    summary: 'Enter a certificate of an account',
    options: {
      account: required('id or name of the account'),
      authority: required('id or name of the certificate authority'),
      alias: required('name as operators know it'),
      subject: required('subject, as in the certificate'),
      issuer: required('issuer, as in the certificate'),
      serial: required('serial number, as in the certificate'),
      'not-after': required('end of the certificate, RFC 3339'),
      'credential-id': required('id of the credential at the CA'),
      'ca-account': required('client account at the CA that it must be renewed with'),
    },
    run: (administration, given) =>
      administration.createCertificate({
        account: given.text('account'),
        authority: given.text('authority'),
        alias: given.text('alias'),
        subject: given.text('subject'),
        issuer: given.text('issuer'),
        serial: given.text('serial'),
        notAfter: given.text('not-after'),
        credentialId: given.text('credential-id'),
        caAccount: given.text('ca-account'),
      }),
  },
  'certificate list': {
    summary: 'List the certificates',
    options: ofAccount,
    run: (administration, given) => administration.listCertificates(given.optional('account')),
  },
  'client-service create': {
    summary: 'Enter a client service that signs with a certificate',
    options: {
      'certificate-id': required('id of the certificate'),
      alias: required('name as operators know it'),
      status: optional('active or inactive; active'),
    },
    run: (administration, given) =>
      administration.createClientService({
        certificateId: given.text('certificate-id'),
        alias: given.text('alias'),
        ...present('status', given.optional('status') as 'active' | undefined),
      }),
  },
  'client-service list': {
    summary: 'List the client services',
    options: { 'certificate-id': optional('only of this certificate') },
    run: (administration, given) =>
      administration.listClientServices(given.optional('certificate-id')),
  },
  'api-key create': {
    summary: 'Make an API key for signing services; it is shown this once',
    options: {
      account: required('id or name of the account'),
      name: required('what it is for'),
      'certificate-id': {
        description: 'only for this certificate; may be repeated; all of the account if not given',
        multiple: true,
      },
    },
    run: (administration, given) =>
      administration.createApiKey({
        account: given.text('account'),
        name: given.text('name'),
        ...present('certificateIds', given.all('certificate-id')),
      }),
  },
  'api-key list': {
    summary: 'List the API keys; the keys themselves are not kept',
    options: ofAccount,
    run: (administration, given) => administration.listApiKeys(given.optional('account')),
  },
  'api-key rotate': {
    summary: 'Give an API key a new secret, shown this once; the one before works on for a while',
    options: {
      'api-key-id': required('id of the key'),
      'overlap-hours': optional(
        `hours for which the secret before works on, 0 to ${String(mostOverlapHours)}; ${String(defaultOverlapHours)}`,
      ),
    },
    run: (administration, given) => {
      const hours = given.optional('overlap-hours');
      return administration.rotateApiKey(given.text('api-key-id'), {
        ...present('overlapHours', hours === undefined ? undefined : Number(hours)),
      });
    },
  },
  'api-key revoke': {
    summary: 'Revoke an API key, with every secret of it',
    options: { 'api-key-id': required('id of the key') },
    run: (administration, given) => done(administration.revokeApiKey(given.text('api-key-id'))),
  },
  ...auditCommands,
  ...sealingCommands,
};

function settingsOf(given: Given) {
  const hour = given.optional('reminder-hour');
  return {
    ...present('timeZone', given.optional('time-zone')),
    ...present('reminderHour', hour === undefined ? undefined : Number(hour)),
    ...present('locale', given.optional('locale') as 'en' | undefined),
  };
}

/** A member, or nothing at all. */
const present = <Name extends string, T>(name: Name, value: T | undefined) =>
  (value === undefined ? {} : { [name]: value }) as Partial<Record<Name, T>>;
