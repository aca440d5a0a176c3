import { classifyRefusal } from './ca-classification.ts';
import { buildCaClient, failureOf } from './ca-testing.ts';
import type { CaErrorKind } from './ca-error.ts';
import { startSimulator, type RunningSimulator } from './csc-simulator/server.ts';
import { setSwitches } from './csc-simulator/testing.ts';

let simulator: RunningSimulator;
beforeAll(async () => {
  simulator = await startSimulator({ port: 0, withDefaultCredentials: false });
});
afterAll(() => simulator.close());

/** What the CA answers to a credential authorization, and what it is taken for. */
const answers: [number, unknown, CaErrorKind][] = [
  [400, { error: 'invalid_pin', error_description: 'The PIN is invalid' }, 'factor_rejected'],
  [400, { error: 'Invalid_OTP ' }, 'factor_rejected'],
  [400, { error: 'invalid_authentication_data' }, 'factor_rejected'],
  [400, { error: 'invalid_request', error_description: 'PIN locked' }, 'locked'],
  [400, { error: 'invalid_request', error_description: 'OTP locked.' }, 'locked'],
  [400, { error: 'invalid_request ', error_description: 'Credential locked' }, 'locked'],
  [
    400,
    {
      error: 'invalid_request',
      error_description: 'The credential identified by credentialID is disabled',
    },
    'certificate_unusable',
  ],
  [
    400,
    { error: 'invalid_request', error_description: 'Invalid certificate status' },
    'certificate_unusable',
  ],
  [
    400,
    {
      error: 'invalid_request',
      error_description: "Signing certificate 'O=a,CN=b' is expired.",
    },
    'certificate_unusable',
  ],
  [
    400,
    { error: 'invalid_request', error_description: 'Numbers of signatures is too high' },
    'limit_refused',
  ],
  [
    401,
    { error: 'Unauthorized', error_description: 'signatureLimit will be exceeded' },
    'limit_refused',
  ],
  [
    401,
    { error: 'Unauthorized', error_description: 'signatureLimit already exceeded' },
    'grant_dead',
  ],
  [400, { error: 'invalid_request', error_description: 'SAD expired' }, 'grant_dead'],
  [400, { error: 'invalid_request', error_description: 'Invalid parameter SAD' }, 'grant_dead'],
  [
    400,
    {
      error: 'Bad Request',
      error_description: 'The access or refresh token is expired or has been revoked',
    },
    'grant_dead',
  ],
  [401, undefined, 'session_dead'],
  [401, { error: 'access_denied' }, 'session_dead'],
  [400, { error: 'expired_token' }, 'session_dead'],
  [400, { error: 'invalid_token' }, 'session_dead'],
  [
    400,
    { error: 'invalid_request', error_description: 'The access token is not valid' },
    'session_dead',
  ],
  [400, { error: 'invalid_grant' }, 'reauthorize'],
  [401, { error: 'invalid_client', error_description: 'x' }, 'reauthorize'],
  [400, { error: 'temporarily_unavailable' }, 'transient_not_processed'],
  [400, { error: 'server_error' }, 'outcome_unknown'],
  [408, undefined, 'outcome_unknown'],
  [429, undefined, 'transient_not_processed'],
  [500, '<html>Oops</html>', 'outcome_unknown'],
  [501, { error: 'not_implemented_method' }, 'protocol_error'],
  [503, undefined, 'transient_not_processed'],
  [400, { message: 'invalid_request: Invalid parameter SAD' }, 'grant_dead'],
  [400, 'PIN locked', 'locked'],
  [400, undefined, 'unknown_refusal'],
  [404, 'not here', 'unknown_refusal'],
  [418, { error: 'a code of their own' }, 'unknown_refusal'],
];

describe('an answer of the CA', () => {
  it.each(answers)('%s %j is taken for %s', async (status, body, kind) => {
    await setSwitches(simulator.url, {
      faults: [{ method: 'credentials/authorize', status, body }],
    });
    const client = buildCaClient(simulator.url);
    const error = await failureOf(
      client.authorizeCredential('any', { credentialId: 'any', signatureCount: 1 }),
    );
    expect(error).toMatchObject({ kind, details: { httpStatus: status } });
  });

  it('to a read that may be tried again is never an open outcome', () => {
    const refusal = { operation: 'info', error: undefined, description: undefined, changes: false };
    const kinds = [408, 429, 500, 502, 503, 504].map(
      (httpStatus) => classifyRefusal({ ...refusal, httpStatus }).kind,
    );
    expect(new Set(kinds)).toEqual(new Set(['unreachable']));
  });
});
