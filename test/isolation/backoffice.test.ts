import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { problems } from '../../domain/errors.ts';
import { roles, type Role } from '../../domain/roles.ts';
import { createAdministration } from '../../services/shared/administration.ts';
import {
  createOperatorDriver,
  expectAnswer,
  type OperatorDriver,
} from '../../services/stack/operator-driver.ts';
import {
  buildRequest,
  operationsOf,
  readApiDocument,
  type Operation,
} from '../support/api-document.ts';
import {
  goToCaAndBack,
  obtainGrant,
  open,
  operatorPassword,
  otherCaAccount,
  startTestBackoffice,
  type TestBackoffice,
} from '../support/backoffice.ts';
import {
  expectNoLeaks,
  findLeaks,
  whatIsTold,
  type Answers,
  type Ask,
  type Finding,
} from './probe.ts';
import { allRows, neverExisted, oneOfEachKind, storedValues, type StoredValue } from './values.ts';

/** Ids by the part of a path that ends with them. */
type Things = Readonly<Record<string, readonly string[]>>;

let backoffice: TestBackoffice;
let operations: Operation[];
/** Of everybody but the account that asks. */
let others: StoredValue[];
let theirs: Things;
let mine: Things;
let rowsOfOthers: Set<string>;
let cookies: Readonly<Record<Role, string>>;
let askAs: Readonly<Record<Role, Ask>>;

beforeAll(async () => {
  backoffice = await startTestBackoffice();
  operations = operationsOf(await readApiDocument(backoffice.url));
  theirs = await furnishOthers();
  others = await storedValues(backoffice.database);
  rowsOfOthers = await allRows(backoffice.database);
  ({ mine, cookies } = await furnishOwn());
  askAs = {
    viewer: askWith(cookies.viewer),
    operator: askWith(cookies.operator),
    admin: askWith(cookies.admin),
  };
  const added = [...(await allRows(backoffice.database))].filter((row) => !rowsOfOthers.has(row));
  others = others.filter(({ value }) => !added.some((row) => row.includes(value)));
}, 60_000);

afterAll(() => backoffice.close());

const idsOf = async (driver: OperatorDriver, path: string): Promise<string[]> => {
  const { items } = expectAnswer(await driver.call('GET', path), 200) as {
    items: { id: string }[];
  };
  return items.map(({ id }) => id);
};
const nextCursor = async (driver: OperatorDriver, path: string): Promise<string> =>
  (expectAnswer(await driver.call('GET', path), 200) as { nextCursor: string }).nextCursor;

/** An account with everything that there is: grants in force and lapsed, renewals open and ended, mails, sessions, keys, operators invited and not. */
async function furnishOthers(): Promise<Things> {
  const { accountId, database } = backoffice;
  const [alda, ana] = await Promise.all([backoffice.signedIn('alda'), backoffice.signedIn('ana')]);
  const inForce = await backoffice.newCertificate({ factors: [], services: 2 });
  await obtainGrant(backoffice, ana, inForce);
  const lapsed = await backoffice.newCertificate({ factors: [], services: 1 });
  await obtainGrant(backoffice, ana, lapsed, { lifetimeSeconds: 60 });
  backoffice.clock.advance(60);
  const awaitingCode = await backoffice.newCertificate({ services: 1 });
  const waiting = await goToCaAndBack(ana, awaitingCode);
  const atCa = await backoffice.newCertificate();
  const { id: opened } = await open(ana, atCa);
  const abandoned = await backoffice.newCertificate();
  const { id: ended } = await open(ana, abandoned);
  expectAnswer(await ana.call('DELETE', `/api/renewals/${ended}`), 204);
  const account = `/api/accounts/${accountId}`;
  const invited = { email: 'invited@loja.example', name: 'Invited one' };
  expectAnswer(await alda.call('POST', `${account}/operators`, invited), 201);
  expectAnswer(await alda.call('POST', `${account}/api-keys`, { name: 'Their signer' }), 201);
  await database.query(
    `insert into mails (mail_id, account_id, operator_id, certificate_id, kind, message_id, recipient, subject, text_body, html_body, state,
       created_at)
     values (gen_random_uuid()::text, $1, $2, $3, 'reminder', 'their-message', 'ana@loja.example', 'Their subject', 't', 'h', 'accepted', now())`,
    [accountId, backoffice.operatorId('ana'), inForce.certificateId],
  );
  const { rows: mails } = await database.query<{ id: string }>('select mail_id as id from mails');
  const certificates = [inForce, lapsed, awaitingCode, atCa, abandoned];
  const renewals = await idsOf(ana, '/api/renewals?state=granted');
  const sessions = await Promise.all([alda, ana].map((one) => idsOf(one, '/api/sessions')));
  return {
    '/api/accounts/{id}': [accountId],
    '/api/accounts/{id}/operators/{operatorId}': await idsOf(alda, `${account}/operators`),
    '/api/accounts/{id}/api-keys/{keyId}': await idsOf(alda, `${account}/api-keys`),
    '/api/certificates/{id}': certificates.map(({ certificateId }) => certificateId),
    '/api/client-services/{id}': certificates.flatMap(({ serviceIds }) => serviceIds),
    '/api/renewals/{id}': [waiting, opened, ended, ...renewals],
    '/api/mails/{id}': mails.map(({ id }) => id),
    '/api/sessions/{id}': sessions.flat(),
    cursor: [
      await nextCursor(ana, '/api/certificates?limit=2'),
      await nextCursor(ana, `/api/certificates/${inForce.certificateId}/timeline?limit=2`),
    ],
  };
}

/** The account that asks, with an operator of each role: what stands in a request beside what is another's. */
async function furnishOwn(): Promise<{ mine: Things; cookies: Readonly<Record<Role, string>> }> {
  const { database, clock, sealer } = backoffice;
  const administration = createAdministration({ database, clock, sealer });
  const { accountId } = await administration.createAccount({ name: 'Quinta Verde' });
  const enter = async (
    role: Role,
  ): Promise<{ id: string; cookie: string; driver: OperatorDriver }> => {
    const email = `${role}@quinta.example`;
    const { operatorId } = await administration.createOperator({
      ...{ account: accountId, email, name: `Quinta's ${role}`, role },
      password: operatorPassword,
    });
    const driver = createOperatorDriver(backoffice.url);
    const { headers } = await driver.signIn(email, operatorPassword);
    const [cookie = ''] = (headers.getSetCookie()[0] ?? '').split(';');
    return { id: operatorId, cookie, driver };
  };
  const [viewer, operator, admin] = await Promise.all([
    enter('viewer'),
    enter('operator'),
    enter('admin'),
  ]);
  const owner = { accountId, atCa: otherCaAccount };
  const certificate = await backoffice.newCertificate({ owner, factors: [], services: 1 });
  await obtainGrant(backoffice, operator.driver, certificate, otherCaAccount);
  const key = await administration.createApiKey({ account: accountId, name: "Quinta's signer" });
  return {
    mine: {
      '/api/accounts/{id}': [accountId],
      '/api/accounts/{id}/operators/{operatorId}': [operator.id],
      '/api/accounts/{id}/api-keys/{keyId}': [key.apiKeyId],
      '/api/certificates/{id}': [certificate.certificateId],
    },
    cookies: { viewer: viewer.cookie, operator: operator.cookie, admin: admin.cookie },
  };
}

const askWith =
  (cookie: string): Ask =>
  (method, path, body) =>
    fetch(backoffice.url + path, {
      method,
      headers: {
        cookie,
        ...(body && { 'content-type': 'application/json' }),
      },
      ...(body && { body: JSON.stringify(body) }),
      redirect: 'manual',
    });

/** What a call needs in its body beside what is tried there. A new call with a body fails the test until it stands here. */
const bodies: Readonly<Record<string, () => Record<string, unknown>>> = {
  'POST /api/session': () => ({ email: 'nobody@quinta.example', password: 'not their password' }),
  'POST /api/password-resets': () => ({ email: 'nobody@quinta.example' }),
  'POST /api/password-resets/lookup': () => ({ token: 'no token' }),
  'POST /api/password-resets/acceptance': () => ({
    token: 'no token',
    password: 'not their password',
  }),
  'PATCH /api/me': () => ({ locale: 'en' }),
  'PUT /api/me/password': () => ({
    presentPassword: 'not their password',
    newPassword: 'not their password either',
  }),
  'PATCH /api/accounts/{id}': () => ({ reminderHour: 7 }),
  'POST /api/accounts/{id}/operators': () => ({
    email: `new-${randomUUID()}@quinta.example`,
    name: 'New',
  }),
  'PATCH /api/accounts/{id}/operators/{operatorId}': () => ({ role: 'viewer' }),
  'POST /api/accounts/{id}/api-keys/{keyId}/rotation': () => ({ overlapHours: 1 }),
  'POST /api/accounts/{id}/api-keys': () => ({ name: `key ${randomUUID()}` }),
  'POST /api/invitations/lookup': () => ({ token: 'no token' }),
  'POST /api/invitations/acceptance': () => ({ token: 'no token', password: 'not their password' }),
  'POST /api/certificates/{id}/revocation': () => ({ reason: 'because' }),
  'POST /api/certificates/{id}/renewals': () => ({ takeOver: true }),
  'POST /api/certificates/{id}/client-services/activation': () => ({ ids: ['none'] }),
  'POST /api/renewals/{id}/authorization': () => ({ pin: '1234', otp: '123456' }),
};
/** Nothing is looked up by these, and what is asked for with them is done. */
const onlyTexts = new Set([
  'POST /api/session password',
  'POST /api/invitations/acceptance password',
  'POST /api/password-resets/acceptance password',
  'PUT /api/me/password presentPassword',
  'PUT /api/me/password newPassword',
  'POST /api/certificates/{id}/revocation reason',
  'POST /api/renewals/{id}/authorization pin',
  'POST /api/renewals/{id}/authorization otp',
  // Not only a text, and told apart at the end of this file.
  'POST /api/accounts/{id}/operators email',
]);
/** What the ids in a query or in a body are of; other texts there are names and searches. */
const idsElsewhere: Readonly<Record<string, string>> = {
  'GET /api/certificates account': '/api/accounts/{id}',
  'GET /api/certificates cursor': 'cursor',
  'GET /api/certificates/{id}/timeline cursor': 'cursor',
  'POST /api/accounts/{id}/api-keys certificateIds[]': '/api/certificates/{id}',
  'POST /api/certificates/{id}/client-services/activation ids[]': '/api/client-services/{id}',
};

const answers: Omit<Answers, 'odd'> = {
  mine: (_operation, { in: where, upToHere = '' }) =>
    where === 'path'
      ? (mine[upToHere]?.[0] ?? neverExisted(theirs[upToHere]?.[0] ?? ''))
      : undefined,
  theirs(operation, place) {
    const of = place.upToHere ?? idsElsewhere[`${operation.name} ${place.name}`];
    const ids = of === undefined ? [] : theirs[of];
    if (ids === undefined || (ids.length === 0 && of !== undefined)) {
      throw new Error(`Nobody has said yet what ${place.name} of ${operation.name} is an id of.`);
    }
    return ids;
  },
  body(operation) {
    const body = bodies[operation.name];
    if (operation.takesBody && body === undefined) {
      throw new Error(`Nobody has said yet what the body of ${operation.name} holds.`);
    }
    return body?.() ?? {};
  },
  isOnlyText: (operation, place) => onlyTexts.has(`${operation.name} ${place.name}`),
};

/** What only reads comes first: what is done afterwards changes no answer to it. */
const inOrder = (isOpen: boolean): Operation[] =>
  operations
    .filter(({ needsCaller }) => needsCaller !== isOpen)
    .toSorted((a, b) => Number(b.method === 'GET') - Number(a.method === 'GET'));

/** What is of another kind than belongs in a place is tried by those who may most. */
async function leaksTo(ask: Ask, role: Role, asked: readonly Operation[]): Promise<Finding[]> {
  const odd = role === 'admin' ? oneOfEachKind(others) : [];
  const leaks: Finding[] = [];
  for (const operation of asked) {
    leaks.push(...(await findLeaks(ask, operation, { ...answers, odd }, others)));
  }
  return leaks;
}

describe('an account gives nothing away', () => {
  it('and the test has something of everything to ask for', () => {
    const kinds = new Set(others.map(({ kind }) => kind.slice(kind.indexOf('.') + 1)));
    for (const kind of ['account_id', 'operator_id', 'certificate_id', 'renewal_id', 'grant_id']) {
      expect(kinds).toContain(kind);
    }
    for (const kind of ['client_service_id', 'mail_id', 'session_id', 'api_key_id', 'email']) {
      expect(kinds).toContain(kind);
    }
    expect(operations.length).toBeGreaterThan(30);
  });

  it.each(roles)('to a %s of another one by what lists without being asked', async (role) => {
    const lists = inOrder(false).filter(
      ({ method, path, places }) =>
        method === 'GET' &&
        path !== '/api/events' &&
        places.every(({ in: where }) => where === 'query'),
    );
    expect(lists.map(({ path }) => path)).toEqual(
      expect.arrayContaining([
        '/api/certificates',
        '/api/renewals',
        '/api/attention',
        '/api/session',
      ]),
    );
    for (const { path } of lists) {
      const response = await askAs[role]('GET', path, undefined);
      expect(response.status).toBe(200);
      const told = { headers: [...response.headers], text: await response.text() };
      expect({ path, told: whatIsTold(told, others, []) }).toEqual({ path, told: [] });
    }
  });

  it.each(roles)('to a %s of another one, whatever is asked for', async (role) => {
    expectNoLeaks(await leaksTo(askAs[role], role, inOrder(false)));
  });

  it('to somebody who is not signed in', async () => {
    const ask = askWith('');
    const withoutThrottle: Ask = async (...asked) => {
      // How often somebody may try says nothing of what is asked for, and would soon be the only answer.
      await backoffice.database.query('delete from door_budgets');
      return ask(...asked);
    };
    expectNoLeaks(await leaksTo(withoutThrottle, 'admin', inOrder(true)));
  });

  it.each(roles)('to a %s of another one by an id in a path: that is not found', async (role) => {
    for (const operation of inOrder(false)) {
      const { places } = operation;
      const values: Record<string, string> = {};
      for (const place of places) {
        if (place.in === 'path') values[place.name] = answers.theirs(operation, place)[0] ?? '';
      }
      if (Object.keys(values).length === 0) continue;
      const { path, body } = buildRequest(operation, { values, body: answers.body(operation) });
      const response = await askAs[role](operation.method, path, body);
      expect({
        call: operation.name,
        status: response.status,
        body: await response.json(),
      }).toEqual({
        call: operation.name,
        status: 404,
        body: {
          type: 'urn:certificate-access:problem:not_found',
          title: problems.not_found[0],
          status: 404,
          code: 'not_found',
          detail: problems.not_found[1],
          instance: response.headers.get('x-request-id'),
        },
      });
    }
  });

  it('to those who listen for what changes', async () => {
    const cut = new AbortController();
    const stream = await fetch(`${backoffice.url}/api/events`, {
      headers: { cookie: cookies.viewer },
      signal: cut.signal,
    });
    const heard: string[] = [];
    const toggle = (id = ''): Promise<unknown> =>
      backoffice.database.query(
        "update client_services set status = case status when 'active' then 'inactive' else 'active' end where certificate_id = $1",
        [id],
      );
    const [own] = mine['/api/certificates/{id}'] ?? [];
    const decoder = new TextDecoder();
    for (const id of theirs['/api/certificates/{id}'] ?? []) await toggle(id);
    await toggle(own);
    // Told in order: when one's own change has come, those of the others would have.
    for await (const chunk of stream.body ?? []) {
      heard.push(decoder.decode(chunk as Uint8Array, { stream: true }));
      if (own !== undefined && heard.join('').includes(own)) break;
    }
    cut.abort();
    expect(whatIsTold({ headers: [], text: heard.join('') }, others, [])).toEqual([]);
    for (const id of theirs['/api/certificates/{id}'] ?? []) await toggle(id);
  });

  it('and is as it was after all that', async () => {
    const rows = await allRows(backoffice.database);
    expect([...rowsOfOthers].filter((row) => !rows.has(row))).toEqual([]);
  });

  // A person belongs to no account: whoever knows the address may add them, and they are told.
  it('but the name and the language of a person whose address an administrator knew and added', async () => {
    const [accountId = ''] = mine['/api/accounts/{id}'] ?? [];
    const path = `/api/accounts/${accountId}/operators`;
    const add = async (email: string) => {
      const response = await askAs.admin('POST', path, { email, name: 'As typed', locale: 'en' });
      return { status: response.status, ...((await response.json()) as { operator: object }) };
    };
    expect(await add('never@loja.example')).toMatchObject({
      status: 201,
      operator: { name: 'As typed', locale: 'en', invitation: { state: 'waiting' } },
    });
    expect(await add('ana@loja.example')).toEqual({
      status: 201,
      operator: {
        id: backoffice.operatorId('ana'),
        ...{ email: 'ana@loja.example', name: 'Operator ana', locale: 'pt-PT' },
        ...{ role: 'operator', invitation: null },
      },
    });
  });
});
