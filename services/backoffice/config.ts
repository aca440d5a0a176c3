import {
  databaseVariables,
  httpVariables,
  processVariables,
  sealingVariables,
  temporalVariables,
} from '../shared/common-config.ts';
import { flag, urlOf, variable, wholeNumber } from '../shared/config.ts';
import { policyVariables } from '../shared/policy-config.ts';

export const backofficeVariables = {
  ...processVariables,
  ...httpVariables('BACKOFFICE_PORT', 3000),
  PUBLIC_URL: variable(
    'where browsers reach the backoffice; `<PUBLIC_URL>/ca/callback` is registered at the CA',
    urlOf('http', 'https').transform((value) => value.replace(/\/+$/, '')),
    { default: 'http://127.0.0.1:3000' },
  ),
  TRUST_PROXY: variable(
    'how many proxies of yours every request comes through, each of which adds to `X-Forwarded-For`; tries to sign in are counted by the address that the first of them saw',
    wholeNumber(0, 10),
    { default: '0' },
  ),
  HSTS_INCLUDE_SUBDOMAINS: variable(
    '`1` tells browsers to use https for all hosts below that of `PUBLIC_URL` too; for the host itself they are told whenever `PUBLIC_URL` is https',
    flag,
    { default: '0' },
  ),
  ...databaseVariables,
  ...sealingVariables,
  ...temporalVariables,
  TEMPORAL_UI_URL: variable(
    'Temporal UI, for links to the workflow of a grant',
    urlOf('http', 'https').transform((value) => value.replace(/\/+$/, '')),
    { default: 'http://127.0.0.1:8233' },
  ),
  SESSION_IDLE_SECONDS: variable(
    'seconds without use after which a session of the backoffice ends',
    wholeNumber(1, 86_400),
    { default: '28800' },
  ),
  SESSION_ABSOLUTE_SECONDS: variable(
    'seconds after which a session of the backoffice ends in any case',
    wholeNumber(1, 2_592_000),
    { default: '604800' },
  ),
  CA_CALL_TIMEOUT_SECONDS: variable('deadline of a call to a CA', wholeNumber(1, 60), {
    default: '10',
  }),
  CA_AUTHORIZATION_TIMEOUT_SECONDS: variable(
    'deadline of the call that asks a CA for the grant',
    wholeNumber(1, 120),
    { default: '20' },
  ),
  ...policyVariables,
};
