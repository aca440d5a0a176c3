import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { budgets, mostFailuresInARow } from '../../domain/door-budgets.ts';
import { passwordResetSeconds } from '../../domain/passwords.ts';
import { waitUntil } from '../../infra/development/wait-until.ts';
import { createMailer, type Mailer } from '../../infra/mail/mailer.ts';
import { startMailbox, type Mailbox } from '../../infra/mail/mailbox/server.ts';
import { mailboxReader } from '../../infra/mail/testing/support.ts';
import { startOutboxRelay, type Relay } from '../../infra/temporal/outbox-relay.ts';
import {
  operatorPassword,
  startTestBackoffice,
  type TestBackoffice,
} from '../../test/support/backoffice.ts';
import { createVisitor, newNetwork, type Visitor } from '../../test/support/visitor.ts';
import { createLog } from '../shared/log.ts';
import type { Answer } from '../stack/browser.ts';
import { expectAnswer } from '../stack/operator-driver.ts';
import { deliverPasswordMails } from '../worker/password-mails.ts';

/** The backoffice as it is, the worker's relay for mail about passwords, and a real SMTP server. */
let backoffice: TestBackoffice;
let mailbox: Mailbox;
let mailer: Mailer;
let reader: ReturnType<typeof mailboxReader>;
let relay: Relay | undefined;
const relayLog: string[] = [];

beforeAll(async () => {
  backoffice = await startTestBackoffice({}, undefined, { trustedProxies: 1 });
  mailbox = await startMailbox({ smtpPort: 0, httpPort: 0 });
  reader = mailboxReader(mailbox.url);
  mailer = createMailer({
    smtpUrl: `smtp://127.0.0.1:${mailbox.smtpPort}`,
    from: { name: 'Certificate Access', address: 'access@platform.example' },
    replyTo: 'help@platform.example',
  });
});
beforeEach(async () => {
  await backoffice.database.query('delete from door_budgets');
});
afterEach(async () => {
  await stopRelay();
  await reader.setSwitches({});
  await reader.clear();
});
afterAll(async () => {
  mailer.close();
  await mailbox.close();
  await backoffice.close();
});

function startRelay(): void {
  const { database, clock, sealer, url: publicUrl } = backoffice;
  const parts = { database, clock, sealer, mailer, publicUrl, messageIdDomain: 'platform.example' };
  const destination = { write: (line: string) => void relayLog.push(line) };
  relay = startOutboxRelay({
    ...{ database, clock, pollMs: 20 },
    log: createLog({ service: 'worker', level: 'debug', destination }),
    deliverTo: { password_mail: deliverPasswordMails(parts) },
  });
}
async function stopRelay(): Promise<void> {
  await relay?.stop();
  relay = undefined;
}
const until = <T>(what: string, probe: () => Promise<T | false>) =>
  waitUntil(probe, { what, deadlineMs: 15_000, intervalMs: 20 });
const waitingMails = async (): Promise<number> => {
  const { rows } = await backoffice.database.query(
    `select from outbox as o where o.destination = 'password_mail' and o.delivered_at is null`,
  );
  return rows.length;
};
/** Until the outbox holds no mail any more. */
async function deliverAll(): Promise<void> {
  startRelay();
  await until('mail waits in the outbox', async () => (await waitingMails()) === 0);
  await stopRelay();
}

const codeOf = ({ status, body }: Answer) => ({ status, code: (body as { code?: string }).code });
const refused = (status: number, code: string) => ({ status, code });
const ended = refused(410, 'password_reset_ended');
const visitor = (network = newNetwork()) => createVisitor(backoffice.url, network);
const ask = (email: string, who = visitor()) => who.call('POST', '/api/password-resets', { email });
const lookUp = (token: string, who = visitor()) =>
  who.call('POST', '/api/password-resets/lookup', { token });
const accept = (token: string, password: string, who = visitor()) =>
  who.call('POST', '/api/password-resets/acceptance', { token, password });

type Person = { readonly id: string; readonly email: string };
let people = 0;
/** Somebody with a password, who is an operator of the account and reads English. */
async function newPerson(account = 'Loja Azul'): Promise<Person> {
  people += 1;
  const email = `person-${people}@loja.example`;
  const { operatorId: id } = await backoffice.administration.createOperator({
    ...{ account, email, name: `Person ${people}`, locale: 'en', role: 'viewer' },
    password: operatorPassword,
  });
  return { id, email };
}
async function signedIn({ email }: Person, password = operatorPassword): Promise<Visitor> {
  const who = visitor();
  expectAnswer(await who.signIn(email, password), 200);
  return who;
}
async function mailsTo({ email }: Pick<Person, 'email'>) {
  const { messages } = await reader.list('limit=200');
  const mine = messages.filter(({ To }) => To.some(({ Address }) => Address === email));
  return Promise.all(mine.map(async (mail) => ({ ...mail, ...(await reader.message(mail.ID)) })));
}
/** The tokens of the links that were mailed, newest first. */
const tokensOf = async (person: Person): Promise<string[]> =>
  (await mailsTo(person)).flatMap(({ Text }) => /\/password-reset#(\S+)/.exec(Text)?.[1] ?? []);
async function newToken(person: Person): Promise<string> {
  const before = new Set(await tokensOf(person));
  expect((await ask(person.email)).status).toBe(202);
  await deliverAll();
  const [token, ...others] = (await tokensOf(person)).filter((one) => !before.has(one));
  expect(others).toEqual([]);
  return token ?? '';
}
async function auditOf({ id }: Person) {
  const { rows } = await backoffice.database.query<{
    actor: string;
    action: string;
    details: Record<string, unknown>;
  }>(
    'select e.actor, e.action, e.details from audit_events as e where e.subject = $1 order by e.event_id',
    [`operator:${id}`],
  );
  return rows;
}
const actionsOf = async (person: Person) => (await auditOf(person)).map(({ action }) => action);

describe('whoever has lost the password', () => {
  it('gets a mail with a link, chooses another one, and signs in with it; the old one and all sessions are over', async () => {
    const person = await newPerson();
    const before = await signedIn(person);
    const token = await newToken(person);
    const [mail] = await mailsTo(person);
    expect(mail?.Subject).toBe('Choose a new password for Certificate Access');
    expect(mail?.Text).toContain(`${backoffice.url}/password-reset#${token}\n`);
    expect(mail?.Text).toContain('(Europe/Lisbon)');

    const who = visitor();
    const found = await lookUp(token, who);
    expect(found).toMatchObject({
      status: 200,
      body: {
        name: `Person ${people}`,
        email: person.email,
        locale: 'en',
        leastPasswordLength: 12,
      },
    });
    const accepted = await accept(token, 'another password', who);
    expect(accepted.status).toBe(204);
    // Who has the link alone is not signed in by it.
    expect((await who.call('GET', '/api/session')).status).toBe(401);
    expect((await before.call('GET', '/api/session')).status).toBe(401);
    expect((await who.signIn(person.email, operatorPassword)).status).toBe(401);
    expect((await who.signIn(person.email, 'another password')).status).toBe(200);

    expect(codeOf(await lookUp(token))).toEqual(ended);
    expect(codeOf(await accept(token, 'a third password'))).toEqual(ended);
    const changed = (await auditOf(person)).find(({ action }) => action === 'password_changed');
    expect(changed).toMatchObject({
      actor: `operator:${person.id}`,
      details: { by: 'mail', endedSessions: 1, resetId: expect.any(String) as unknown },
    });
    expect(await actionsOf(person)).toEqual(
      expect.arrayContaining(['password_reset_requested', 'password_reset_sent']),
    );
  });

  it('is told by mail that there is another one, so that a stranger who did it is found out', async () => {
    const person = await newPerson();
    const token = await newToken(person);
    await accept(token, 'another password');
    await deliverAll();
    const notice = (await mailsTo(person)).find(({ Subject }) => Subject.includes('was changed'));
    expect(notice?.Text).toContain('With the link of a mail to this address');
    expect(notice?.Text).toContain(`${backoffice.url}/forgot-password\n`);
    expect(notice?.Text).not.toContain('#');
    expect(await actionsOf(person)).toContain('password_notice_sent');
  });

  it('is spoken to in his language', async () => {
    const person = await newPerson();
    const who = await signedIn(person);
    expectAnswer(await who.call('PATCH', '/api/me', { locale: 'pt-PT' }), 200);
    await accept(await newToken(person), 'another password');
    await deliverAll();
    expect((await mailsTo(person)).map(({ Subject }) => Subject).sort()).toEqual([
      'A sua palavra-passe do Certificate Access foi alterada',
      'Escolha uma nova palavra-passe para o Certificate Access',
    ]);
  });

  it('or has never chosen one after an invitation chooses it like that, and the invitation is over', async () => {
    const alda = await backoffice.signedIn('alda');
    people += 1;
    const guest = { email: `person-${people}@loja.example`, name: 'Guest', locale: 'en' };
    const path = `/api/accounts/${backoffice.accountId}/operators`;
    const added = expectAnswer(await alda.call('POST', path, guest), 201) as {
      operator: { id: string };
    };
    const person = { id: added.operator.id, email: guest.email };
    const { rows } = await backoffice.database.query<{ id: string; sealed_token: string }>(
      'select i.invitation_id as id, i.sealed_token from invitations as i where i.operator_id = $1',
      [person.id],
    );
    const invitation = backoffice.sealer.open(rows[0]?.sealed_token ?? '', rows[0]?.id ?? '');
    expect((await accept(await newToken(person), 'my first password')).status).toBe(204);
    await signedIn(person, 'my first password');
    const late = { token: invitation, password: 'twelve chars' };
    expect((await visitor().call('POST', '/api/invitations/acceptance', late)).status).toBe(410);
  });

  it('and is kept from a browser that is not known by strangers comes in by the mail', async () => {
    const person = await newPerson();
    const { rows } = await backoffice.database.query(
      'update operators as o set failed_sign_ins = $1 where o.operator_id = $2 returning o.operator_id',
      [mostFailuresInARow, person.id],
    );
    expect(rows).toHaveLength(1);
    const strangers = Array.from({ length: budgets.unknownBrowsers.atOnce + 1 }, () =>
      visitor().signIn(person.email, 'not the password'),
    );
    await Promise.all(strangers);
    const who = visitor();
    expect((await who.signIn(person.email, operatorPassword)).status).toBe(429);
    expect((await accept(await newToken(person), 'another password', who)).status).toBe(204);
    expect((await who.signIn(person.email, 'another password')).status).toBe(200);
  });
});

describe('asking for a link', () => {
  it('is answered the same in the same time, whoever it is for, and sends nothing to whoever has no account', async () => {
    const person = await newPerson();
    const gone = await newPerson();
    await backoffice.administration.removeOperator('Loja Azul', gone.id);
    const shapes: unknown[] = [];
    for (const email of [
      person.email,
      ` ${person.email.toUpperCase()} `,
      gone.email,
      'nobody@x.example',
    ]) {
      const startedAt = performance.now();
      const { status, body, headers } = await ask(email);
      // Timers may be a little early.
      expect(performance.now() - startedAt).toBeGreaterThan(295);
      shapes.push({ status, body, headers: [...headers.keys()].sort() });
    }
    for (const shape of shapes) expect(shape).toEqual(shapes[0]);
    expect(shapes[0]).toMatchObject({ status: 202, body: { linkSeconds: passwordResetSeconds } });
    await deliverAll();
    expect(await mailsTo(person)).toHaveLength(2);
    expect(await mailsTo(gone)).toEqual([]);
    expect(await mailsTo({ email: 'nobody@x.example' })).toEqual([]);
    expect(await actionsOf(gone)).not.toContain('password_reset_requested');
  });

  it('again and again sends three mails at once and one more each half hour; every link is good until one is used', async () => {
    const person = await newPerson();
    const { atOnce, secondsEach } = budgets.resetMails;
    await Promise.all(Array.from({ length: 8 }, () => ask(person.email)));
    await deliverAll();
    expect(await tokensOf(person)).toHaveLength(atOnce);
    backoffice.clock.advance(secondsEach - 5);
    expect((await ask(person.email)).status).toBe(202);
    expect(await waitingMails()).toBe(0);
    backoffice.clock.advance(5);
    await newToken(person);
    const tokens = await tokensOf(person);
    expect(tokens).toHaveLength(atOnce + 1);
    for (const token of tokens) expect((await lookUp(token)).status).toBe(200);
    expect((await accept(tokens.at(-1) ?? '', 'another password')).status).toBe(204);
    for (const token of tokens) expect(codeOf(await lookUp(token))).toEqual(ended);
  });

  it('is open to no network without end', async () => {
    const network = newNetwork();
    const { atOnce } = budgets.network;
    for (let from = 0; from < atOnce; from += 25) {
      const answers = await Promise.all(
        Array.from({ length: 25 }, () => ask('nobody@x.example', visitor(network))),
      );
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]));
    }
    const late = await ask('nobody@x.example', visitor(network));
    expect(codeOf(late)).toEqual(refused(429, 'too_many_requests'));
    expect(Number(late.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await ask('nobody@x.example')).status).toBe(202);
  });

  it.each([{ email: '' }, { email: 'x'.repeat(255) }, { email: 'a@b.example', more: 1 }, {}])(
    'is refused with %j',
    async (body) => {
      const answer = await visitor().call('POST', '/api/password-resets', body);
      expect(codeOf(answer)).toEqual(refused(400, 'invalid_request'));
    },
  );
});

describe('a link', () => {
  it('is good for an hour, and not at its end', async () => {
    const person = await newPerson();
    const token = await newToken(person);
    const { body } = await lookUp(token);
    const endsMs = Date.parse((body as { expiresAt: string }).expiresAt);
    const left = () => (endsMs - backoffice.clock.now().getTime()) / 1000;
    expect(left()).toBeLessThanOrEqual(3_600);
    expect(left()).toBeGreaterThan(3_570);
    backoffice.clock.advance(left() - 5);
    expect((await lookUp(token)).status).toBe(200);
    backoffice.clock.advance(left());
    expect(codeOf(await lookUp(token))).toEqual(ended);
    expect(codeOf(await accept(token, 'another password'))).toEqual(ended);
    await signedIn(person);
  });

  it('is used by one of two who come at the same moment, and of two links one', async () => {
    const person = await newPerson();
    const token = await newToken(person);
    const same = await Promise.all([
      accept(token, 'the first password'),
      accept(token, 'the second password'),
    ]);
    expect(same.map(({ status }) => status).sort()).toEqual([204, 410]);
    await newToken(person);
    await newToken(person);
    const [one = '', two = ''] = await tokensOf(person);
    const both = await Promise.all([
      accept(one, 'the third password'),
      accept(two, 'the fourth password'),
    ]);
    expect(both.map(({ status }) => status).sort()).toEqual([204, 410]);
  });

  it('that is unknown, used or over, or of somebody who is no operator any more, is refused in the same words', async () => {
    const used = await newPerson();
    const usedToken = await newToken(used);
    expect((await accept(usedToken, 'another password')).status).toBe(204);
    const gone = await newPerson();
    const goneToken = await newToken(gone);
    await backoffice.administration.removeOperator('Loja Azul', gone.id);
    const shapes: unknown[] = [];
    for (const token of ['no-such-token', usedToken, goneToken]) {
      for (const { status, body } of [
        await lookUp(token),
        await accept(token, 'a long password'),
      ]) {
        shapes.push({ status, body: { ...(body as object), instance: undefined } });
      }
    }
    for (const shape of shapes) expect(shape).toEqual(shapes[0]);
    expect(shapes[0]).toMatchObject({ status: 410, body: { code: 'password_reset_ended' } });
  });

  it.each([
    [11, 400],
    [201, 400],
    [12, 204],
    [200, 204],
  ])('takes a password of %s characters with %s', async (length, status) => {
    const token = await newToken(await newPerson());
    expect((await accept(token, 'x'.repeat(length))).status).toBe(status);
    expect((await lookUp(token)).status).toBe(status === 204 ? 410 : 200);
  });

  it('cannot be guessed by a network without end, and costs nothing to who has it', async () => {
    const network = newNetwork();
    const token = await newToken(await newPerson());
    const { atOnce } = budgets.network;
    for (let count = 0; count < 3; count += 1) {
      expect((await lookUp(token, visitor(network))).status).toBe(200);
    }
    for (let from = 0; from < atOnce; from += 25) {
      const answers = await Promise.all(
        Array.from({ length: 25 }, (_, index) => {
          const path = index % 2 === 0 ? '/api/password-resets' : '/api/invitations';
          const body = { token: `guess ${from + index}` };
          return visitor(network).call('POST', `${path}/lookup`, body);
        }),
      );
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([410]));
    }
    expect((await lookUp('guess', visitor(network))).status).toBe(429);
    expect((await accept('guess', 'a long password', visitor(network))).status).toBe(429);
    expect((await lookUp(token)).status).toBe(200);
  });

  it('does not let in from another site', async () => {
    const token = await newToken(await newPerson());
    for (const path of ['', '/lookup', '/acceptance']) {
      const response = await fetch(`${backoffice.url}/api/password-resets${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', origin: 'https://elsewhere.example' },
        body: JSON.stringify({ token, password: 'a long password', email: 'a@b.example' }),
      });
      expect(response.status).toBe(403);
    }
    expect((await lookUp(token)).status).toBe(200);
  });
});

describe('the mail with a link', () => {
  it('waits while the mail server is down, and keeps its Message-ID when it is sent again', async () => {
    const person = await newPerson();
    await reader.setSwitches({ dropAfterData: true });
    await ask(person.email);
    startRelay();
    await until('one came', async () => (await mailsTo(person)).length > 0);
    await reader.setSwitches({});
    await until('it is not sent', async () => (await waitingMails()) === 0);
    const mails = await mailsTo(person);
    expect(mails.length).toBeGreaterThan(1);
    expect(new Set(mails.map(({ MessageID }) => MessageID)).size).toBe(1);
    expect(new Set(await tokensOf(person)).size).toBe(1);
    expect((await lookUp((await tokensOf(person))[0] ?? '')).status).toBe(200);
  });

  it('that the server refuses for good is not tried again, and audited without the address', async () => {
    const person = await newPerson();
    await reader.setSwitches({ refuseRecipients: { [person.email]: 550 } });
    await ask(person.email);
    await deliverAll();
    expect(await mailsTo(person)).toEqual([]);
    const told = (await auditOf(person)).at(-1);
    expect(told?.action).toBe('password_reset_undeliverable');
    expect(JSON.stringify(told)).not.toContain(person.email);
  });

  it('that is over before it could be sent is not sent', async () => {
    const person = await newPerson();
    await ask(person.email);
    backoffice.clock.advance(passwordResetSeconds);
    await deliverAll();
    expect(await mailsTo(person)).toEqual([]);
  });

  it('holds what nothing else does: the token is in no log and no table', async () => {
    const person = await newPerson();
    await reader.setSwitches({ failAll: true });
    await ask(person.email);
    startRelay();
    await until('it was not tried', async () => {
      const { rows } = await backoffice.database.query(
        `select from outbox as o where o.destination = 'password_mail' and o.delivered_at is null and o.attempts >= 1`,
      );
      return rows.length > 0;
    });
    await reader.setSwitches({});
    await until('it is not sent', async () => (await waitingMails()) === 0);
    const [token = ''] = await tokensOf(person);
    await accept(token, 'too short');
    expect((await accept(token, 'canary password')).status).toBe(204);
    await lookUp(token);
    const { rows: tables } = await backoffice.database.query<{ name: string }>(
      `select quote_ident(t.table_name) as name from information_schema.tables as t where t.table_schema = 'public'`,
    );
    const stored: string[] = [];
    for (const { name } of tables) {
      const { rows } = await backoffice.database.query<{ row: string }>(
        `select t::text as row from ${name} as t`,
      );
      stored.push(...rows.map(({ row }) => row));
    }
    const everything = [...stored, ...backoffice.logged, ...relayLog].join('\n');
    expect(everything).toContain(person.id);
    expect(token).toHaveLength(43);
    for (const canary of [token, 'canary password']) expect(everything).not.toContain(canary);
    const { rows: sealed } = await backoffice.database.query(
      'select from password_resets as r where r.sealed_token is not null and r.operator_id = $1',
      [person.id],
    );
    expect(sealed).toEqual([]);
    expect([...backoffice.logged, ...relayLog].join('\n')).not.toContain(person.email);
  });
});

describe('whoever is signed in', () => {
  const change = (who: Visitor, presentPassword: string, newPassword = 'another password') =>
    who.call('PUT', '/api/me/password', { presentPassword, newPassword });

  it('changes the password with the present one: this session goes on, all others end, and a mail tells of it', async () => {
    const person = await newPerson();
    const token = await newToken(person);
    const [here, there] = [await signedIn(person), await signedIn(person)];
    expect((await change(here, operatorPassword)).status).toBe(204);
    expect((await here.call('GET', '/api/session')).status).toBe(200);
    expect((await there.call('GET', '/api/session')).status).toBe(401);
    expect(codeOf(await lookUp(token))).toEqual(ended);
    expect((await visitor().signIn(person.email, operatorPassword)).status).toBe(401);
    await signedIn(person, 'another password');
    expect(
      (await auditOf(person)).find(({ action }) => action === 'password_changed'),
    ).toMatchObject({
      actor: `operator:${person.id}`,
      details: { by: 'present_password', endedSessions: 1 },
    });
    await deliverAll();
    const [notice] = await mailsTo(person);
    expect(notice?.Text).toContain('By who was signed in and knew the password before');
  });

  it('stays known in this browser, and in no other', async () => {
    const person = await newPerson();
    const [here, there] = [await signedIn(person), await signedIn(person)];
    await change(here, operatorPassword);
    await Promise.all(
      Array.from({ length: budgets.unknownBrowsers.atOnce }, () =>
        visitor().signIn(person.email, 'not the password'),
      ),
    );
    expect((await there.signIn(person.email, 'another password')).status).toBe(429);
    expect((await here.signIn(person.email, 'another password')).status).toBe(200);
  });

  it('is refused with a wrong one, ten times at once and no more, and everything stays as it was', async () => {
    const person = await newPerson();
    const who = await signedIn(person);
    const { atOnce, secondsEach } = budgets.presentPassword;
    const answers = await Promise.all(
      Array.from({ length: atOnce }, () => change(who, 'not the password')),
    );
    const wrong = refused(422, 'present_password_wrong');
    expect(answers.map(codeOf)).toEqual(answers.map(() => wrong));
    expect(codeOf(await change(who, operatorPassword))).toEqual(refused(429, 'too_many_requests'));
    backoffice.clock.advance(secondsEach);
    expect((await change(who, operatorPassword, 'too short')).status).toBe(400);
    expect((await who.call('GET', '/api/session')).status).toBe(200);
    await signedIn(person);
    expect((await change(who, operatorPassword)).status).toBe(204);
  });
});
