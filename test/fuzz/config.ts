import type { Operation } from '../support/api-document.ts';
import type { FuzzWorld, ThereKind } from './world.ts';

/** What a place of a call is filled with most of the time: by the way up to it in a path, or by call and name. */
const fillings: Readonly<Record<string, ThereKind>> = {
  '/api/accounts/{id}': 'accounts',
  '/api/accounts/{id}/operators/{operatorId}': 'operators',
  '/api/accounts/{id}/api-keys/{keyId}': 'apiKeys',
  '/api/certificates/{id}': 'certificates',
  '/api/client-services/{id}': 'clientServices',
  '/api/renewals/{id}': 'renewals',
  '/api/mails/{id}': 'mails',
  '/api/sessions/{id}': 'sessions',
  'POST /api/accounts/{id}/operators/{operatorId}/invitation operatorId': 'invited',
  'POST /api/certificates/{id}/revocation id': 'stoppable',
  'POST /api/certificates/{id}/renewals id': 'renewable',
  'DELETE /api/renewals/{id} id': 'open',
  'POST /api/renewals/{id}/code id': 'waiting',
  'POST /api/renewals/{id}/authorization id': 'waiting',
  'POST /api/renewals/{id}/authorization pin': 'pins',
  'GET /api/certificates account': 'accounts',
  'POST /api/accounts/{id}/api-keys certificateIds[]': 'certificates',
  'POST /api/certificates/{id}/client-services/activation ids[]': 'clientServices',
  'POST /api/certificates/{id}/client-services/activation id': 'inForce',
  'POST /api/session email': 'emails',
  'POST /api/session password': 'passwords',
  'POST /api/invitations/lookup token': 'invitationTokens',
  'POST /api/invitations/acceptance token': 'invitationTokens',
  'POST /api/password-resets/lookup token': 'resetTokens',
  'POST /api/password-resets/acceptance token': 'resetTokens',
  '/v1/certificates/{id}': 'signing',
  'GET /v1/certificates/{id}/access clientService': 'signingServices',
  'POST /v1/certificates/{id}/activation clientService': 'signingServices',
  'POST /v1/certificates/{id}/refusals grantId': 'signingGrants',
};

/**
 * A request that fits the document is done, or refused for a reason that no document can tell beforehand: what is not there, is not so any more, is not the
 * right PIN. It is never called invalid, but for what is a text there and has a form of its own, which the document describes in words.
 */
const refusedAllTheSame = ['2xx', '3xx', '401', '403', '404', '409', '410', '422', '429'];
const textsOfAForm = [
  'GET /api/certificates',
  'GET /api/certificates/{id}/timeline',
  'PATCH /api/accounts/{id}',
  'GET /ca/callback',
];

const expected = 'checks.positive_data_acceptance.expected-statuses';

/** `coverage` tries each rule of the document by itself, `fuzzing` draws at random. */
export type Phase = 'coverage' | 'fuzzing';

/**
 * schemathesis.toml for one service. While rules are tried one by one, each place of a path holds an id that is there, so that what is tried in query and body
 * is looked at by more than the check of the id; at random it holds one most of the time.
 */
export function fuzzConfiguration(
  operations: readonly Operation[],
  { admin, there }: FuzzWorld,
  phase: Phase,
): string {
  const settingsOf = (operation: Operation): string[] =>
    operation.places.flatMap((place) => {
      const kind = fillings[`${operation.name} ${place.name}`] ?? fillings[place.upToHere ?? ''];
      if (kind === undefined) return [];
      const where = `parameters.${toml(`${place.in}.${place.name.replace('[]', '[*]')}`)}`;
      if (phase === 'fuzzing') {
        return [`${where} = ${inlineTable({ dictionary: kind, probability: 0.95 })}`];
      }
      return place.in === 'path' ? [`${where} = ${toml(there[kind][0])}`] : [];
    });
  const perCall = operations.flatMap((operation) => {
    const settings = settingsOf(operation);
    if (textsOfAForm.includes(operation.name)) {
      settings.push(`${expected} = ${toml([...refusedAllTheSame, '400'])}`);
    }
    if (settings.length === 0) return [];
    return ['[[operations]]', `include-name = ${toml(operation.name)}`, ...settings];
  });
  const lines = [
    // What an answer told is not asked with: the fuzzer would soon take its own rights from itself.
    `phases.${phase}.extra-data-sources.responses = false`,
    `${expected} = ${toml(refusedAllTheSame)}`,
    ...(phase === 'fuzzing' ? dictionariesOf(there) : []),
    ...perCall,
    // A session that was ended, by the fuzzer itself, is replaced by a new one.
    '[auth.dynamic.openapi.session]',
    'path = "/api/session"',
    `payload = ${inlineTable({ email: admin.email, password: admin.password })}`,
    'extract_from = "cookie"',
    'extract_selector = "session"',
    'retry_on = [401]',
  ];
  return `${lines.join('\n')}\n`;
}

const dictionariesOf = (there: FuzzWorld['there']): string[] =>
  Object.entries(there).flatMap(([kind, values]) => [
    `[dictionaries.${kind}]`,
    `values = ${toml(values)}`,
  ]);

/** A string, a list of strings or a number is written in TOML as in JSON. */
const toml = (value: unknown): string => JSON.stringify(value);
const inlineTable = (table: Readonly<Record<string, string | number>>): string =>
  `{ ${Object.entries(table)
    .map(([name, value]) => `${name} = ${toml(value)}`)
    .join(', ')} }`;
