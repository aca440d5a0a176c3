import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { hashSecret } from '../../infra/postgres/sealing.ts';
import {
  obtainGrant,
  operatorPassword,
  startTestBackoffice,
  type TestBackoffice,
} from '../../test/support/backoffice.ts';
import type { Answer } from '../stack/browser.ts';
import {
  createOperatorDriver,
  expectAnswer,
  type OperatorDriver,
} from '../stack/operator-driver.ts';

let backoffice: TestBackoffice;
let alda: OperatorDriver;
let ana: OperatorDriver;
let vera: OperatorDriver;
let stranger: OperatorDriver;
let account: string;

beforeAll(async () => {
  backoffice = await startTestBackoffice();
  account = `/api/accounts/${backoffice.accountId}`;
  [alda, ana, vera, stranger] = await Promise.all([
    backoffice.signedIn('alda'),
    backoffice.signedIn('ana'),
    backoffice.signedIn('vera'),
    backoffice.signedIn('stranger'),
  ]);
});
afterAll(() => backoffice.close());

type Items<T> = { readonly items: readonly T[] };
type Session = {
  id: string;
  isCurrent: boolean;
  startedAt: string;
  endsAt: string;
  userAgent: string | null;
};
type Operator = {
  id: string;
  name: string;
  email: string;
  locale: string;
  role: string;
  invitation: object | null;
};
type ApiKey = {
  id: string;
  name: string;
  certificateIds: string[] | null;
  revokedAt: string | null;
  lastUsedAt: string | null;
  oldSecret: { endsAt: string; lastUsedAt: string | null } | null;
};

async function itemsOf<T>(driver: OperatorDriver, path: string): Promise<readonly T[]> {
  return (expectAnswer(await driver.call('GET', path), 200) as Items<T>).items;
}
const sessionsOf = (driver: OperatorDriver) => itemsOf<Session>(driver, '/api/sessions');

async function currentSession(driver: OperatorDriver): Promise<Session> {
  const [current, ...others] = (await sessionsOf(driver)).filter(({ isCurrent }) => isCurrent);
  expect(others).toEqual([]);
  if (current === undefined) throw new Error('no session is the present one');
  return current;
}

const codeOf = ({ status, body }: Answer) => ({ status, code: (body as { code?: string }).code });
const refused = (status: number, code: string) => ({ status, code });

/** All of a problem but the id of the request. */
const shapeOf = ({ status, body }: Answer) => ({
  status,
  body: { ...(body as object), instance: undefined },
});

async function auditOf(subject: string) {
  const { rows } = await backoffice.database.query<{
    actor: string;
    action: string;
    account_id: string | null;
    details: Record<string, unknown>;
  }>(
    'select e.actor, e.action, e.account_id, e.details from audit_events as e where e.subject = $1 order by e.event_id',
    [subject],
  );
  return rows;
}
const by = (name: 'alda' | 'ana' | 'vera' | 'rui') => `operator:${backoffice.operatorId(name)}`;

let people = 0;
/** Adds somebody who accepts the invitation and is signed in by that. */
async function addOperator(role: string, admin = alda, path = account) {
  people += 1;
  const email = `person-${people}@loja.example`;
  const body = { email, name: `Person ${people}`, role };
  const { operator } = expectAnswer(await admin.call('POST', `${path}/operators`, body), 201) as {
    operator: Operator;
  };
  const { rows } = await backoffice.database.query<{ id: string; sealed_token: string }>(
    'select i.invitation_id as id, i.sealed_token from invitations as i where i.operator_id = $1',
    [operator.id],
  );
  const token = backoffice.sealer.open(rows[0]?.sealed_token ?? '', rows[0]?.id ?? '');
  const driver = createOperatorDriver(backoffice.url);
  const chosen = { token, password: operatorPassword };
  expectAnswer(await driver.call('POST', '/api/invitations/acceptance', chosen), 200);
  return { operator: { ...operator, invitation: null }, password: operatorPassword, email, driver };
}

describe("one's own sessions", () => {
  it('are listed with the present one marked, and with when they end unused', async () => {
    const here = await backoffice.signedIn('rui');
    const there = await backoffice.signedIn('rui');
    const sessions = await sessionsOf(here);
    expect(sessions).toHaveLength(2);
    const own = await currentSession(here);
    expect(own.id).not.toBe((await currentSession(there)).id);
    expect(Date.parse(own.endsAt) - Date.parse(own.startedAt)).toBe(28_800_000);
    const owners = await backoffice.database.query<{ operator_id: string }>(
      'select distinct s.operator_id from sessions as s where s.session_id = any($1)',
      [sessions.map(({ id }) => id)],
    );
    expect(owners.rows).toEqual([{ operator_id: backoffice.operatorId('rui') }]);
  });

  it.each([
    [
      'a browser',
      'Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0',
      'Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0',
    ],
    ['control characters', 'Fire\u0085fox\t\u009f140', 'Firefox140'],
    ['300 characters', 'x'.repeat(300), 'x'.repeat(300)],
    ['301 characters', 'x'.repeat(301), 'x'.repeat(300)],
    ['nothing', '', null],
  ])('tell what the browser called itself: %s', async (_what, userAgent, told) => {
    const { headers } = await fetch(`${backoffice.url}/api/session`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'user-agent': userAgent },
      body: JSON.stringify({ email: 'rui@loja.example', password: operatorPassword }),
    });
    const cookie = headers.getSetCookie()[0]?.split(';')[0] ?? '';
    const listed = await fetch(`${backoffice.url}/api/sessions`, { headers: { cookie } });
    const { items } = (await listed.json()) as Items<Session>;
    expect(items.find(({ isCurrent }) => isCurrent)?.userAgent).toBe(told);
  });

  it('end at another place at once, once, and it is audited', async () => {
    const here = await backoffice.signedIn('rui');
    const there = await backoffice.signedIn('rui');
    const { id } = await currentSession(there);
    expect((await here.call('DELETE', `/api/sessions/${id}`)).status).toBe(204);
    expect(codeOf(await there.call('GET', '/api/session'))).toEqual(
      refused(401, 'session_required'),
    );
    expect((await here.call('GET', '/api/session')).status).toBe(200);
    expect((await sessionsOf(here)).map((session) => session.id)).not.toContain(id);
    const again = await here.call('DELETE', `/api/sessions/${id}`);
    expect(codeOf(again)).toEqual(refused(404, 'not_found'));
    expect(await auditOf(`session:${id}`)).toMatchObject([
      { action: 'signed_in', actor: by('rui') },
      { action: 'session_ended', actor: by('rui') },
    ]);
  });

  it('end all at once but the present one, for oneself alone, and it is audited', async () => {
    const here = await backoffice.signedIn('vera');
    const elsewhere = [await backoffice.signedIn('vera'), await backoffice.signedIn('vera')];
    const others = (await sessionsOf(here)).length - 1;
    expect(others).toBeGreaterThan(1);
    expect((await here.call('DELETE', '/api/sessions')).status).toBe(204);
    for (const driver of [...elsewhere, vera]) {
      expect((await driver.call('GET', '/api/session')).status).toBe(401);
    }
    expect(await sessionsOf(here)).toEqual([await currentSession(here)]);
    expect((await ana.call('GET', '/api/session')).status).toBe(200);
    const ended = { action: 'other_sessions_ended', actor: by('vera') };
    const told = { ...ended, details: { endedSessions: others } };
    expect((await auditOf(by('vera'))).at(-1)).toMatchObject(told);
    // Where there is none, nothing happens and nothing is told.
    expect((await here.call('DELETE', '/api/sessions')).status).toBe(204);
    const audits = await auditOf(by('vera'));
    expect(audits.filter(({ action }) => action === ended.action)).toHaveLength(1);
    vera = here;
  });

  it('end here as by signing out', async () => {
    const here = await backoffice.signedIn('rui');
    const { id } = await currentSession(here);
    const { status, headers } = await here.call('DELETE', `/api/sessions/${id}`);
    expect(status).toBe(204);
    expect(headers.getSetCookie()).toEqual(['session=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax']);
    expect((await here.call('GET', '/api/session')).status).toBe(401);
    expect((await auditOf(`session:${id}`)).at(-1)).toMatchObject({ action: 'signed_out' });
  });

  it('do not end by the hand of somebody else, not even an administrator', async () => {
    const { id } = await currentSession(ana);
    const theirs = await alda.call('DELETE', `/api/sessions/${id}`);
    const none = await alda.call('DELETE', '/api/sessions/no-such-session');
    expect(codeOf(theirs)).toEqual(refused(404, 'not_found'));
    expect(shapeOf(theirs)).toEqual(shapeOf(none));
    expect((await ana.call('GET', '/api/session')).status).toBe(200);
  });

  it('are for those who are signed in', async () => {
    const nobody = createOperatorDriver(backoffice.url);
    for (const [method, path] of [
      ['GET', '/api/sessions'],
      ['DELETE', '/api/sessions'],
      ['DELETE', '/api/sessions/some'],
      ['PATCH', '/api/me'],
      ['PUT', '/api/me/password'],
      ['GET', account],
      ['GET', `${account}/operators`],
      ['GET', `${account}/api-keys`],
    ] as const) {
      expect(codeOf(await nobody.call(method, path))).toEqual(refused(401, 'session_required'));
    }
  });
});

describe("one's own language", () => {
  it('changes for oneself alone, audited', async () => {
    const changed = await vera.call('PATCH', '/api/me', { locale: 'en' });
    expect(changed).toMatchObject({ status: 200, body: { operator: { locale: 'en' } } });
    expect((await vera.call('GET', '/api/session')).body).toMatchObject({
      operator: { locale: 'en' },
    });
    expect((await ana.call('GET', '/api/session')).body).toMatchObject({
      operator: { locale: 'pt-PT' },
    });
    expect((await auditOf(by('vera'))).at(-1)).toMatchObject({
      actor: by('vera'),
      action: 'operator_locale_changed',
      details: { from: 'pt-PT', to: 'en' },
    });
  });

  it.each([{ locale: 'fr' }, {}, { locale: 'en', name: 'Somebody else' }])(
    'is not changed by %j',
    async (body) => {
      const answer = await vera.call('PATCH', '/api/me', body);
      expect(codeOf(answer)).toEqual(refused(400, 'invalid_request'));
    },
  );
});

describe("an account's settings", () => {
  it('are read in every role', async () => {
    for (const driver of [vera, ana, alda]) {
      expect(expectAnswer(await driver.call('GET', account), 200)).toEqual({
        id: backoffice.accountId,
        name: 'Loja Azul',
        timeZone: 'Europe/Lisbon',
        reminderHour: 9,
        locale: 'pt-PT',
        administrators: ['Operator alda'],
      });
    }
  });

  it('are changed by an administrator, and the workflow of each open grant is told', async () => {
    const certificate = await backoffice.newCertificate({ factors: [] });
    const grantId = await obtainGrant(backoffice, ana, certificate);
    const changes = { timeZone: 'Atlantic/Azores', reminderHour: 0, locale: 'en' };
    const changed = expectAnswer(await alda.call('PATCH', account, changes), 200);
    expect(changed).toEqual({
      id: backoffice.accountId,
      name: 'Loja Azul',
      administrators: ['Operator alda'],
      ...changes,
    });
    expect((await vera.call('GET', account)).body).toEqual(changed);
    const { rows } = await backoffice.database.query(
      `select o.written_by from outbox as o where o.subject = $1 and o.name = 'accountChanged'`,
      [grantId],
    );
    expect(rows).toEqual([{ written_by: 'backoffice' }]);
    expect(await auditOf(`account:${backoffice.accountId}`)).toContainEqual({
      actor: by('alda'),
      action: 'account_changed',
      account_id: backoffice.accountId,
      details: {
        from: { timeZone: 'Europe/Lisbon', reminderHour: 9, locale: 'pt-PT' },
        to: changes,
      },
    });
  });

  it.each([
    [{ reminderHour: 24 }, 'body.reminderHour'],
    [{ reminderHour: -1 }, 'body.reminderHour'],
    [{ timeZone: 'Europe/Atlantis' }, 'body.timeZone'],
    [{ locale: 'fr' }, 'body.locale'],
    [{ name: ' ' }, 'body.name'],
    [{ reminderHour: 8, id: 'another' }, 'body.id'],
    [{}, 'body'],
  ])('are not changed by %j', async (changes, path) => {
    const before = (await alda.call('GET', account)).body;
    const answer = await alda.call('PATCH', account, changes);
    expect(codeOf(answer)).toEqual(refused(400, 'invalid_request'));
    expect(answer.body).toMatchObject({ faults: [{ path }] });
    expect((await alda.call('GET', account)).body).toEqual(before);
  });

  it('keep the name free of another account that the administrator sees, and tell of no other', async () => {
    const unseen = await alda.call('PATCH', account, { name: 'somebody else' });
    expect(unseen).toMatchObject({ status: 200, body: { name: 'somebody else' } });
    expectAnswer(await alda.call('PATCH', account, { name: 'Loja Azul' }), 200);
    const { accounts } = (await stranger.call('GET', '/api/session')).body as {
      accounts: { id: string }[];
    };
    const membership = `/api/accounts/${accounts[0]?.id ?? ''}/operators`;
    const invited = { email: 'alda@loja.example', name: 'Alda', role: 'viewer' };
    expectAnswer(await stranger.call('POST', membership, invited), 201);
    const seen = await alda.call('PATCH', account, { name: 'somebody else' });
    expect(codeOf(seen)).toEqual(refused(409, 'already_exists'));
    expect(seen.body).toMatchObject({ field: 'name' });
    const id = backoffice.operatorId('alda');
    expectAnswer(await stranger.call('DELETE', `${membership}/${id}`), 204);
  });
});

describe('what is not for everybody', () => {
  const calls = (path: string): [method: string, path: string, body?: object][] => [
    ['PATCH', path, { name: 'Taken' }],
    ['GET', `${path}/operators`],
    ['POST', `${path}/operators`, { email: 'new@loja.example', name: 'New' }],
    ['PATCH', `${path}/operators/${backoffice.operatorId('vera')}`, { role: 'admin' }],
    ['DELETE', `${path}/operators/${backoffice.operatorId('vera')}`],
    ['POST', `${path}/operators/${backoffice.operatorId('vera')}/invitation`],
    ['GET', `${path}/api-keys`],
    ['POST', `${path}/api-keys`, { name: 'key' }],
    ['DELETE', `${path}/api-keys/some-key`],
  ];
  const settings = async () => [
    (await alda.call('GET', account)).body,
    await itemsOf(alda, `${account}/operators`),
    await itemsOf(alda, `${account}/api-keys`),
  ];

  it('is refused to viewers and operators, and leaves everything as it was', async () => {
    const before = await settings();
    for (const driver of [vera, ana]) {
      for (const call of calls(account)) {
        expect(codeOf(await driver.call(...call))).toEqual(refused(403, 'role_required'));
      }
    }
    expect(await settings()).toEqual(before);
  });

  it('is there for no administrator of another account, in the words for what does not exist', async () => {
    const before = await settings();
    const nowhere = calls('/api/accounts/no-such-account');
    const reading: [string, string][] = [['GET', account]];
    const ours = [...calls(account), ...reading];
    const none = [...nowhere, ['GET', '/api/accounts/no-such-account'] as [string, string]];
    for (const [index, call] of ours.entries()) {
      const answer = await stranger.call(...call);
      expect(codeOf(answer)).toEqual(refused(404, 'not_found'));
      const other = none[index] ?? ['GET', '/'];
      expect(shapeOf(answer)).toEqual(shapeOf(await stranger.call(...other)));
    }
    expect(codeOf(await alda.call('GET', '/api/accounts/Loja%20Azul'))).toEqual(
      refused(404, 'not_found'),
    );
    expect(await settings()).toEqual(before);
  });
});

describe('the operators of an account', () => {
  it('are listed with their roles and without anything secret', async () => {
    const operators = await itemsOf<Operator>(alda, `${account}/operators`);
    expect(operators).toContainEqual({
      id: backoffice.operatorId('ana'),
      name: 'Operator ana',
      email: 'ana@loja.example',
      locale: 'pt-PT',
      role: 'operator',
      invitation: null,
    });
    expect(operators.map(({ email }) => email)).not.toContain('stranger@loja.example');
  });

  it("are added in the account's language, without a password that anybody else knows", async () => {
    expectAnswer(await alda.call('PATCH', account, { locale: 'en' }), 200);
    const { operator, driver } = await addOperator('viewer');
    expect(operator).toMatchObject({ role: 'viewer', locale: 'en' });
    expect((await driver.call('GET', account)).status).toBe(200);
    const { rows } = await backoffice.database.query<{ actor: string; details: object }>(
      `select e.actor, e.account_id, e.details from audit_events as e where e.subject = $1 and e.action = 'operator_added'`,
      [`operator:${operator.id}`],
    );
    expect(rows).toEqual([
      {
        actor: by('alda'),
        account_id: backoffice.accountId,
        details: { role: 'viewer', isNew: true },
      },
    ]);
  });

  it('who are operators of another account keep name and password', async () => {
    const before = await alda.call('POST', `${account}/operators`, {
      email: 'STRANGER@loja.example',
      name: 'Another name',
      role: 'viewer',
    });
    expect(before).toMatchObject({
      status: 201,
      body: { operator: { name: 'Operator stranger', role: 'viewer', invitation: null } },
    });
    const id = backoffice.operatorId('stranger');
    const signedIn = await backoffice.signedIn('stranger');
    expect((await signedIn.call('GET', account)).status).toBe(200);
    expect(codeOf(await signedIn.call('GET', `${account}/operators`))).toEqual(
      refused(403, 'role_required'),
    );
    expect((await alda.call('DELETE', `${account}/operators/${id}`)).status).toBe(204);
    // Nobody is signed out of what is no business of the account that they left.
    expect((await signedIn.call('GET', '/api/session')).status).toBe(200);
    expect(codeOf(await signedIn.call('GET', account))).toEqual(refused(404, 'not_found'));
  });

  it('are added once', async () => {
    const body = { email: 'Ana@loja.example', name: 'Ana again' };
    const answer = await alda.call('POST', `${account}/operators`, body);
    expect(codeOf(answer)).toEqual(refused(409, 'already_exists'));
    expect(answer.body).toMatchObject({ field: 'email' });
  });

  it.each([
    { email: 'no address', name: 'Somebody' },
    { email: 'somebody@loja.example', name: '' },
    { email: 'somebody@loja.example', name: 'Somebody', role: 'owner' },
    { email: 'somebody@loja.example', name: 'Somebody', password: 'chosen by an administrator' },
  ])('are not added from %j', async (body) => {
    const answer = await alda.call('POST', `${account}/operators`, body);
    expect(codeOf(answer)).toEqual(refused(400, 'invalid_request'));
    expect(JSON.stringify(answer.body)).not.toContain('chosen by');
  });

  it('may at once what their new role allows, and no more', async () => {
    const { operator, driver } = await addOperator('viewer');
    const path = `${account}/operators/${operator.id}`;
    expect(codeOf(await driver.call('GET', `${account}/api-keys`)).code).toBe('role_required');
    const promoted = await alda.call('PATCH', path, { role: 'admin' });
    expect(promoted).toMatchObject({ status: 200, body: { ...operator, role: 'admin' } });
    expect((await driver.call('GET', `${account}/api-keys`)).status).toBe(200);
    expectAnswer(await alda.call('PATCH', path, { role: 'operator' }), 200);
    expect(codeOf(await driver.call('GET', `${account}/api-keys`)).code).toBe('role_required');
    expect((await auditOf(`operator:${operator.id}`)).at(-1)).toMatchObject({
      actor: by('alda'),
      action: 'operator_role_changed',
      details: { from: 'admin', to: 'operator' },
    });
  });

  it('who are removed and have no other account are signed out everywhere', async () => {
    const { operator, password, email, driver } = await addOperator('operator');
    const elsewhere = createOperatorDriver(backoffice.url);
    expectAnswer(await elsewhere.signIn(email, password), 200);
    const path = `${account}/operators/${operator.id}`;
    expect((await alda.call('DELETE', path)).status).toBe(204);
    for (const gone of [driver, elsewhere]) {
      expect(codeOf(await gone.call('GET', account))).toEqual(refused(401, 'session_required'));
    }
    expectAnswer(await driver.signIn(email, password), 200);
    expect(codeOf(await driver.call('GET', account))).toEqual(refused(404, 'not_found'));
    expect(codeOf(await alda.call('DELETE', path))).toEqual(refused(404, 'not_found'));
    expect((await auditOf(`operator:${operator.id}`)).map(({ action }) => action)).toContain(
      'operator_removed',
    );
  });

  it('of another account are out of reach', async () => {
    const id = backoffice.operatorId('stranger');
    const path = `${account}/operators/${id}`;
    const answers = [
      await alda.call('PATCH', path, { role: 'viewer' }),
      await alda.call('DELETE', path),
    ];
    for (const answer of answers) {
      expect(codeOf(answer)).toEqual(refused(404, 'not_found'));
    }
    expect((await stranger.call('GET', '/api/session')).body).toMatchObject({
      accounts: [{ name: 'Somebody else', role: 'admin' }],
    });
  });
});

describe('the last administrator', () => {
  it('is neither removed nor given another role, until there is another one', async () => {
    const path = `${account}/operators/${backoffice.operatorId('alda')}`;
    for (const role of ['operator', 'viewer']) {
      expect(codeOf(await alda.call('PATCH', path, { role }))).toEqual(refused(409, 'last_admin'));
    }
    expect(codeOf(await alda.call('DELETE', path))).toEqual(refused(409, 'last_admin'));
    expectAnswer(await alda.call('PATCH', path, { role: 'admin' }), 200);

    const second = await addOperator('admin');
    expectAnswer(await second.driver.call('PATCH', path, { role: 'viewer' }), 200);
    expect(codeOf(await alda.call('GET', `${account}/operators`)).code).toBe('role_required');
    const own = `${account}/operators/${second.operator.id}`;
    expect(codeOf(await second.driver.call('DELETE', own))).toEqual(refused(409, 'last_admin'));
    expectAnswer(await second.driver.call('PATCH', path, { role: 'admin' }), 200);
    expect((await second.driver.call('DELETE', own)).status).toBe(204);
  });

  it('stays when two administrators remove each other at the same moment', async () => {
    for (let round = 1; round <= 5; round += 1) {
      const { accountId, first, second } = await accountOfTwo();
      const path = `/api/accounts/${accountId}/operators`;
      const answers = await Promise.all([
        first.driver.call('DELETE', `${path}/${second.id}`),
        second.driver.call('DELETE', `${path}/${first.id}`),
      ]);
      expect(answers.filter(({ status }) => status === 204)).toHaveLength(1);
      const { rows } = await backoffice.database.query(
        'select m.role from account_operators as m where m.account_id = $1',
        [accountId],
      );
      expect(rows).toEqual([{ role: 'admin' }]);
    }
  });
});

/** Another account with two administrators, signed in. */
async function accountOfTwo() {
  people += 1;
  const accountId = `account-of-two-${people}`;
  const { database, clock } = backoffice;
  await database.query('insert into accounts (account_id, name, created_at) values ($1, $1, $2)', [
    accountId,
    clock.now(),
  ]);
  await database.query(
    `insert into account_operators (account_id, operator_id, role, created_at) values ($1, $2, 'admin', $3)`,
    [accountId, backoffice.operatorId('leaver'), clock.now()],
  );
  const leaver = createOperatorDriver(backoffice.url);
  expectAnswer(await leaver.signIn('leaver@loja.example', operatorPassword), 200);
  const added = await addOperator('admin', leaver, `/api/accounts/${accountId}`);
  return {
    accountId,
    first: { id: backoffice.operatorId('leaver'), driver: leaver },
    second: { id: added.operator.id, driver: added.driver },
  };
}

describe('the API keys of an account', () => {
  const keys = () => itemsOf<ApiKey>(alda, `${account}/api-keys`);
  const make = async (body: object) =>
    expectAnswer(await alda.call('POST', `${account}/api-keys`, body), 201) as {
      apiKey: ApiKey;
      secret: string;
    };

  it('show their secret once; only its hash is kept', async () => {
    const { apiKey, secret } = await make({ name: 'Signer' });
    expect(secret).toMatch(/^ca_[\w-]{43}$/);
    expect(apiKey).toMatchObject({ name: 'Signer', certificateIds: null, revokedAt: null });
    expect(await keys()).toEqual([apiKey]);
    const { rows } = await backoffice.database.query(
      'select k.key_hash, k.account_id from api_keys as k where k.api_key_id = $1',
      [apiKey.id],
    );
    expect(rows).toEqual([{ key_hash: hashSecret(secret), account_id: backoffice.accountId }]);
    const events = await auditOf(`api_key:${apiKey.id}`);
    expect(events).toMatchObject([{ actor: by('alda'), action: 'api_key_created' }]);
    expect(JSON.stringify(events) + backoffice.logged.join('')).not.toContain(secret);
  });

  it('may be limited to certificates of this account and to no other', async () => {
    const { certificateId } = await backoffice.newCertificate();
    const { apiKey } = await make({ name: 'One seal', certificateIds: [certificateId] });
    expect(apiKey.certificateIds).toEqual([certificateId]);

    const other = await accountOfTwo();
    const theirs = other.first.driver;
    const path = `/api/accounts/${other.accountId}/api-keys`;
    const before = await keys();
    const foreign = { name: 'Foreign', certificateIds: [certificateId] };
    const answer = await theirs.call('POST', path, foreign);
    expect(codeOf(answer)).toEqual(refused(404, 'not_found'));
    const unknown = { name: 'Foreign', certificateIds: ['no-such-certificate'] };
    const none = await theirs.call('POST', path, unknown);
    expect(shapeOf(answer)).toEqual(shapeOf(none));
    expect(await itemsOf(theirs, path)).toEqual([]);
    expect(await keys()).toEqual(before);
  });

  it('are revoked once, stay in the list, and set their name free', async () => {
    const { apiKey } = await make({ name: 'Short-lived' });
    const twin = await alda.call('POST', `${account}/api-keys`, { name: 'short-LIVED' });
    expect(codeOf(twin)).toEqual(refused(409, 'already_exists'));
    const path = `${account}/api-keys/${apiKey.id}`;
    expect((await alda.call('DELETE', path)).status).toBe(204);
    expect(codeOf(await alda.call('DELETE', path))).toEqual(refused(404, 'not_found'));
    const listed = (await keys()).find(({ id }) => id === apiKey.id);
    expect(listed?.revokedAt).not.toBeNull();
    await make({ name: 'Short-lived' });
    expect((await auditOf(`api_key:${apiKey.id}`)).at(-1)).toMatchObject({
      actor: by('alda'),
      action: 'api_key_revoked',
    });
  });

  it('get a new secret, shown once, while the old one goes on for a day or as long as is said', async () => {
    const { apiKey, secret } = await make({ name: 'Rotated' });
    const rotate = async (body?: object) =>
      expectAnswer(
        await alda.call('POST', `${account}/api-keys/${apiKey.id}/rotation`, body),
        201,
      ) as {
        apiKey: ApiKey;
        secret: string;
      };
    const hoursLeft = ({ oldSecret }: ApiKey) =>
      (Date.parse(oldSecret?.endsAt ?? '') - backoffice.clock.now().getTime()) / 3_600_000;
    const first = await rotate();
    expect(first.secret).toMatch(/^ca_[\w-]{43}$/);
    expect(first.apiKey).toMatchObject({ id: apiKey.id, name: 'Rotated', lastUsedAt: null });
    expect(hoursLeft(first.apiKey)).toBeCloseTo(24, 1);
    expect((await keys()).find(({ id }) => id === apiKey.id)).toEqual(first.apiKey);
    const second = await rotate({ overlapHours: 168 });
    expect(hoursLeft(second.apiKey)).toBeCloseTo(168, 1);
    const third = await rotate({ overlapHours: 0 });
    expect(third.apiKey.oldSecret).toBeNull();
    const events = await auditOf(`api_key:${apiKey.id}`);
    expect(events.map(({ actor, action }) => [actor, action])).toEqual([
      [by('alda'), 'api_key_created'],
      ...Array.from({ length: 3 }, () => [by('alda'), 'api_key_rotated']),
    ]);
    expect(events[1]?.details).toEqual({
      name: 'Rotated',
      oldSecretEndsAt: first.apiKey.oldSecret?.endsAt,
    });
    const told = JSON.stringify(events) + backoffice.logged.join('');
    for (const each of [secret, first.secret, second.secret, third.secret]) {
      expect(told).not.toContain(each);
    }
  });

  it.each([{ overlapHours: 169 }, { overlapHours: -1 }, { overlapHours: 1.5 }, { hours: 1 }])(
    'get no new secret for %j',
    async (body) => {
      const { apiKey } = await make({ name: `Kept ${JSON.stringify(body)}` });
      const answer = await alda.call('POST', `${account}/api-keys/${apiKey.id}/rotation`, body);
      expect(codeOf(answer)).toEqual(refused(400, 'invalid_request'));
    },
  );

  it('that are revoked get no new secret, nor those that are none', async () => {
    const { apiKey } = await make({ name: 'Gone' });
    await alda.call('DELETE', `${account}/api-keys/${apiKey.id}`);
    const gone = await alda.call('POST', `${account}/api-keys/${apiKey.id}/rotation`);
    const none = await alda.call('POST', `${account}/api-keys/no-such-key/rotation`);
    expect(codeOf(gone)).toEqual(refused(404, 'not_found'));
    expect(shapeOf(gone)).toEqual(shapeOf(none));
  });

  it('of another account are out of reach, also by the address of an own one', async () => {
    const { apiKey } = await make({ name: 'Ours' });
    const { accountId, first } = await accountOfTwo();
    const path = `/api/accounts/${accountId}/api-keys/${apiKey.id}`;
    for (const answer of [
      await first.driver.call('DELETE', path),
      await first.driver.call('POST', `${path}/rotation`),
      await stranger.call('POST', `${account}/api-keys/${apiKey.id}/rotation`),
    ]) {
      expect(codeOf(answer)).toEqual(refused(404, 'not_found'));
    }
    expect((await keys()).find(({ id }) => id === apiKey.id)).toEqual(apiKey);
  });

  it('are rotated by administrators alone', async () => {
    const { apiKey } = await make({ name: 'Not theirs' });
    for (const driver of [ana, vera]) {
      const answer = await driver.call('POST', `${account}/api-keys/${apiKey.id}/rotation`);
      expect(codeOf(answer)).toEqual(refused(403, 'role_required'));
    }
  });

  it.each([{ name: '' }, {}, { name: 'Empty', certificateIds: [] }])(
    'are not made from %j',
    async (body) => {
      const answer = await alda.call('POST', `${account}/api-keys`, body);
      expect(codeOf(answer)).toEqual(refused(400, 'invalid_request'));
    },
  );
});

describe('/openapi.json', () => {
  it('describes every call of the settings', async () => {
    const document = (await (await fetch(`${backoffice.url}/openapi.json`)).json()) as {
      paths: Record<string, Record<string, { responses: object }> | undefined>;
    };
    const methods = (path: string) => Object.keys(document.paths[path] ?? {}).sort();
    expect(methods('/api/sessions')).toEqual(['delete', 'get']);
    expect(methods('/api/sessions/{id}')).toEqual(['delete']);
    expect(methods('/api/me')).toEqual(['patch']);
    expect(methods('/api/accounts/{id}')).toEqual(['get', 'patch']);
    expect(methods('/api/accounts/{id}/operators')).toEqual(['get', 'post']);
    expect(methods('/api/accounts/{id}/operators/{operatorId}')).toEqual(['delete', 'patch']);
    expect(methods('/api/accounts/{id}/operators/{operatorId}/invitation')).toEqual(['post']);
    expect(methods('/api/invitations/lookup')).toEqual(['post']);
    expect(methods('/api/invitations/acceptance')).toEqual(['post']);
    expect(methods('/api/accounts/{id}/api-keys')).toEqual(['get', 'post']);
    expect(methods('/api/accounts/{id}/api-keys/{keyId}')).toEqual(['delete']);
    expect(methods('/api/accounts/{id}/api-keys/{keyId}/rotation')).toEqual(['post']);
    const removal = document.paths['/api/accounts/{id}/operators/{operatorId}']?.['delete'];
    expect(Object.keys(removal?.responses ?? {})).toEqual(
      expect.arrayContaining(['204', '401', '403', '404', '409']),
    );
  });
});
