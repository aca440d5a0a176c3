import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
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
import { createLog } from '../shared/log.ts';
import type { Answer } from '../stack/browser.ts';
import {
  createOperatorDriver,
  expectAnswer,
  type OperatorDriver,
} from '../stack/operator-driver.ts';
import { deliverInvitations } from '../worker/invitation-mails.ts';

/** The backoffice as it is, the worker's relay for mail, and a real SMTP server. */
let backoffice: TestBackoffice;
let mailbox: Mailbox;
let mailer: Mailer;
let reader: ReturnType<typeof mailboxReader>;
let relay: Relay | undefined;
let alda: OperatorDriver;
let operators: string;
const relayLog: string[] = [];

beforeAll(async () => {
  backoffice = await startTestBackoffice();
  mailbox = await startMailbox({ smtpPort: 0, httpPort: 0 });
  reader = mailboxReader(mailbox.url);
  mailer = createMailer({
    smtpUrl: `smtp://127.0.0.1:${mailbox.smtpPort}`,
    from: { name: 'Certificate Access', address: 'access@platform.example' },
    replyTo: 'help@platform.example',
  });
  operators = `/api/accounts/${backoffice.accountId}/operators`;
  alda = await backoffice.signedIn('alda');
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
    deliverTo: { mail: deliverInvitations(parts) },
  });
}
async function stopRelay(): Promise<void> {
  await relay?.stop();
  relay = undefined;
}
/** Until the outbox holds no mail any more. */
async function deliverAll(): Promise<void> {
  startRelay();
  await until('mail waits in the outbox', async () => {
    const { rows } = await backoffice.database.query(
      `select from outbox as o where o.destination = 'mail' and o.delivered_at is null`,
    );
    return rows.length === 0;
  });
  await stopRelay();
}
const until = <T>(what: string, probe: () => Promise<T | false>) =>
  waitUntil(probe, { what, deadlineMs: 15_000, intervalMs: 20 });

type Operator = {
  id: string;
  email: string;
  invitation: { sentAt: string | null; expiresAt: string; state: string } | null;
};
const codeOf = ({ status, body }: Answer) => ({ status, code: (body as { code?: string }).code });
const refused = (status: number, code: string) => ({ status, code });
const call = (path: string, body: object) =>
  createOperatorDriver(backoffice.url).call('POST', path, body);
const lookUp = (token: string) => call('/api/invitations/lookup', { token });
const accept = (token: string, password = 'twelve chars') =>
  call('/api/invitations/acceptance', { token, password });

let people = 0;
async function invite(
  person: { email?: string; role?: string; locale?: string } = {},
  { driver = alda, path = operators } = {},
): Promise<Operator> {
  people += 1;
  const body = { email: `guest-${people}@loja.example`, name: `Guest ${people}`, locale: 'en' };
  const added = await driver.call('POST', path, { ...body, ...person });
  return (expectAnswer(added, 201) as { operator: Operator }).operator;
}
const again = ({ id }: Pick<Operator, 'id'>, driver = alda) =>
  driver.call('POST', `${operators}/${id}/invitation`);
async function shown({ id }: Operator): Promise<Operator | undefined> {
  const { items } = expectAnswer(await alda.call('GET', operators), 200) as { items: Operator[] };
  return items.find((operator) => operator.id === id);
}
/** The token that waits to be sent. */
async function tokenOf({ id }: Operator): Promise<string> {
  const { rows } = await backoffice.database.query<{ invitation_id: string; sealed_token: string }>(
    'select i.invitation_id, i.sealed_token from invitations as i where i.operator_id = $1 and i.sealed_token is not null',
    [id],
  );
  return backoffice.sealer.open(rows[0]?.sealed_token ?? '', rows[0]?.invitation_id ?? '');
}
async function mailsTo(email: string) {
  const { messages } = await reader.list('limit=100');
  return messages.filter(({ To }) => To.some(({ Address }) => Address === email));
}
async function audited(id: string) {
  const { rows } = await backoffice.database.query<{
    actor: string;
    action: string;
    details: Record<string, unknown>;
  }>('select e.actor, e.action, e.details from audit_events as e where e.subject = $1 order by 1', [
    `operator:${id}`,
  ]);
  return rows;
}
const actionsOf = async ({ id }: Operator) => (await audited(id)).map(({ action }) => action);

describe('somebody who is added', () => {
  it('is an operator at once, has nothing to sign in with, and is sent an invitation', async () => {
    const guest = await invite({ role: 'viewer' });
    expect(guest).toMatchObject({
      role: 'viewer',
      locale: 'en',
      invitation: { state: 'waiting', sentAt: null },
    });
    const weekMs = 7 * 86_400_000;
    const lastsMs =
      Date.parse(guest.invitation?.expiresAt ?? '') - backoffice.clock.now().getTime();
    expect(lastsMs).toBeGreaterThan(weekMs - 10_000);
    expect(lastsMs).toBeLessThanOrEqual(weekMs);
    for (const password of ['twelve chars', 'a password that nobody has']) {
      const signIn = await call('/api/session', { email: guest.email, password });
      expect(codeOf(signIn)).toEqual(refused(401, 'sign_in_refused'));
    }
    await deliverAll();
    const [mail, ...others] = await mailsTo(guest.email);
    expect(others).toEqual([]);
    expect(mail?.Subject).toBe('Operator alda invites you to Loja Azul');
    const { Text } = await reader.message(mail?.ID ?? '');
    expect(Text).toContain('Viewer: sees everything, changes nothing');
    expect(Text).toContain('(Europe/Lisbon)');
    const [, token = ''] = /\/invitation#(\S+)/.exec(Text) ?? [];
    expect(Text).toContain(`${backoffice.url}/invitation#${token}`);
    expect((await lookUp(token)).status).toBe(200);
    expect(await shown(guest)).toMatchObject({
      invitation: { state: 'sent', sentAt: expect.stringMatching(/^20.*Z$/) as unknown },
    });
    expect(await actionsOf(guest)).toEqual(
      expect.arrayContaining(['operator_added', 'operator_invited', 'invitation_sent']),
    );
  });

  it('and has a password already is told so, without a token', async () => {
    const stranger = await invite({ email: 'STRANGER@loja.example', role: 'viewer' });
    expect(stranger).toMatchObject({ email: 'stranger@loja.example', invitation: null });
    await deliverAll();
    const [mail] = await mailsTo('stranger@loja.example');
    const { Text } = await reader.message(mail?.ID ?? '');
    expect(Text).toContain(`${backoffice.url}/certificates`);
    expect(Text).not.toContain('#');
    expect(await actionsOf(stranger)).toContain('membership_notice_sent');
    expect(codeOf(await again(stranger))).toEqual(refused(409, 'invitation_not_needed'));
    expect((await alda.call('DELETE', `${operators}/${stranger.id}`)).status).toBe(204);
  });

  it('to a second account before having chosen a password is invited there too; one password ends both', async () => {
    const guest = await invite();
    const first = await tokenOf(guest);
    await deliverAll();
    const driver = await backoffice.signedIn('stranger');
    const { body } = await driver.call('GET', '/api/session');
    const [other] = (body as { accounts: { id: string }[] }).accounts;
    const path = `/api/accounts/${other?.id ?? ''}/operators`;
    const there = await invite({ email: guest.email }, { driver, path });
    expect(there).toMatchObject({ id: guest.id, invitation: { state: 'waiting' } });
    const second = await tokenOf(there);
    const accepted = await accept(second);
    expect(accepted).toMatchObject({
      status: 200,
      body: { accounts: [{ name: 'Loja Azul' }, { name: 'Somebody else' }] },
    });
    expect(codeOf(await accept(first))).toEqual(refused(410, 'invitation_ended'));
    expect((await shown(guest))?.invitation).toBeNull();
  });
});

describe('an invitation', () => {
  it('tells who invites whom to what, and is not used up by that', async () => {
    const guest = await invite({ locale: 'pt-PT' });
    const token = await tokenOf(guest);
    for (let times = 0; times < 2; times += 1) {
      const { status, body, headers } = await lookUp(token);
      expect({ status, body }).toEqual({
        status: 200,
        body: {
          name: `Guest ${people}`,
          email: guest.email,
          accountName: 'Loja Azul',
          invitedBy: 'Operator alda',
          expiresAt: guest.invitation?.expiresAt,
          locale: 'pt-PT',
          leastPasswordLength: 12,
        },
      });
      expect(headers.get('cache-control')).toBe('no-store');
    }
  });

  it('gives a password and a session, once', async () => {
    const guest = await invite();
    const token = await tokenOf(guest);
    const driver = createOperatorDriver(backoffice.url);
    const body = { token, password: 'a password of my own' };
    const accepted = await driver.call('POST', '/api/invitations/acceptance', body);
    expect(accepted.headers.get('cache-control')).toBe('no-store');
    expect(accepted.headers.getSetCookie()).toEqual([
      expect.stringMatching(
        /^session=[\w-]{43}; Path=\/; Max-Age=604800; HttpOnly; SameSite=Lax$/,
      ) as unknown,
      expect.stringMatching(
        `^browser-${guest.id}=[\\w-]{43}; Path=/; Max-Age=15552000; HttpOnly; SameSite=Lax$`,
      ) as unknown,
    ]);
    const who = expectAnswer(await driver.call('GET', '/api/session'), 200) as object;
    expect(accepted.body).toEqual({ ...who, serverNow: expect.any(String) as unknown });
    expect(who).toMatchObject({ operator: { email: guest.email } });
    expect((await shown(guest))?.invitation).toBeNull();
    expect(codeOf(await accept(token))).toEqual(refused(410, 'invitation_ended'));
    const later = createOperatorDriver(backoffice.url);
    expect((await later.signIn(guest.email, 'a password of my own')).status).toBe(200);
    expect((await later.signIn(guest.email, 'twelve chars')).status).toBe(401);
    expect(await audited(guest.id)).toContainEqual(
      expect.objectContaining({ actor: `operator:${guest.id}`, action: 'invitation_accepted' }),
    );
  });

  it('is used by one of two who come at the same moment', async () => {
    for (let round = 0; round < 5; round += 1) {
      const token = await tokenOf(await invite());
      const answers = await Promise.all([
        accept(token, 'the first one'),
        accept(token, 'the second one'),
      ]);
      expect(answers.map(({ status }) => status).sort()).toEqual([200, 410]);
    }
  });

  it.each([
    [11, 400],
    [201, 400],
    [12, 200],
    [200, 200],
  ])('takes a password of %s characters with %s', async (length, status) => {
    const token = await tokenOf(await invite());
    const answer = await accept(token, 'x'.repeat(length));
    expect(answer.status).toBe(status);
    if (status === 200) return;
    expect(answer.body).toMatchObject({
      code: 'invalid_request',
      faults: [{ path: 'body.password' }],
    });
    expect(JSON.stringify(answer.body)).not.toContain(token);
    expect((await lookUp(token)).status).toBe(200);
  });

  it('that is unknown, used, replaced, withdrawn or over is refused in the same words', async () => {
    const used = await invite();
    const usedToken = await tokenOf(used);
    expect((await accept(usedToken)).status).toBe(200);
    const replaced = await invite();
    const replacedToken = await tokenOf(replaced);
    const removed = await invite();
    const removedToken = await tokenOf(removed);
    expect((await alda.call('DELETE', `${operators}/${removed.id}`)).status).toBe(204);
    backoffice.clock.advance(30);
    expect((await again(replaced)).status).toBe(201);
    const overToken = await tokenOf(await invite());
    await backoffice.database.query(
      'update invitations as i set expires_at = $1 where i.operator_id = (select o.operator_id from operators as o where o.email = $2)',
      [backoffice.clock.now(), `guest-${people}@loja.example`],
    );
    const tokens = ['no-such-token', usedToken, replacedToken, removedToken, overToken];
    for (const ask of [lookUp, accept]) {
      for (const token of tokens) {
        const { status, body } = await ask(token);
        expect({ status, body }).toMatchObject({
          status: 410,
          body: {
            code: 'invitation_ended',
            title: 'This invitation was used, replaced or has ended.',
            detail:
              'Ask an administrator of the account for a new one, or sign in if you have a password.',
          },
        });
        expect(Object.keys(body as object).sort()).toEqual(
          ['code', 'detail', 'instance', 'status', 'title', 'type'].sort(),
        );
      }
    }
  });

  it('is not used from another site', async () => {
    const token = await tokenOf(await invite());
    for (const path of ['lookup', 'acceptance']) {
      const response = await fetch(`${backoffice.url}/api/invitations/${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', origin: 'https://elsewhere.example' },
        body: JSON.stringify({ token, password: 'twelve chars' }),
      });
      expect(response.status).toBe(403);
    }
    expect((await lookUp(token)).status).toBe(200);
  });
});

describe('another invitation', () => {
  it('voids the one before, half a minute after it at the earliest', async () => {
    const guest = await invite();
    const old = await tokenOf(guest);
    const early = await again(guest);
    expect(codeOf(early)).toEqual(refused(429, 'too_many_requests'));
    const { retryAfterSeconds } = early.body as { retryAfterSeconds: number };
    expect(early.headers.get('retry-after')).toBe(String(retryAfterSeconds));
    expect((await lookUp(old)).status).toBe(200);
    backoffice.clock.advance(retryAfterSeconds);
    const { operator } = expectAnswer(await again(guest), 201) as { operator: Operator };
    expect(operator).toMatchObject({ id: guest.id, invitation: { state: 'waiting' } });
    expect((await lookUp(old)).status).toBe(410);
    await deliverAll();
    // The one that was replaced before it was sent is not sent any more.
    const mails = await mailsTo(guest.email);
    expect(mails).toHaveLength(1);
    const { Text } = await reader.message(mails[0]?.ID ?? '');
    const [, token = ''] = /#(\S+)/.exec(Text) ?? [];
    expect(token).not.toBe(old);
    expect((await accept(token)).status).toBe(200);
    backoffice.clock.advance(30);
    expect(codeOf(await again(guest))).toEqual(refused(409, 'invitation_not_needed'));
  });

  it('comes again for somebody who was taken out and is added again', async () => {
    const guest = await invite();
    expect((await alda.call('DELETE', `${operators}/${guest.id}`)).status).toBe(204);
    const back = await invite({ email: guest.email });
    expect(back).toMatchObject({ id: guest.id, invitation: { state: 'waiting' } });
    expect((await accept(await tokenOf(back))).status).toBe(200);
  });

  it('is for administrators of the account', async () => {
    const guest = await invite();
    for (const name of ['ana', 'vera'] as const) {
      const answer = await again(guest, await backoffice.signedIn(name));
      expect(codeOf(answer)).toEqual(refused(403, 'role_required'));
    }
    const stranger = await backoffice.signedIn('stranger');
    expect(codeOf(await again(guest, stranger))).toEqual(refused(404, 'not_found'));
    expect(codeOf(await again({ id: 'no-such-operator' }))).toEqual(refused(404, 'not_found'));
  });
});

describe('the mail of an invitation', () => {
  it('waits while the mail server is down, and is sent when it is back', async () => {
    await reader.setSwitches({ failAll: true });
    const guest = await invite();
    startRelay();
    await until('it was not tried', async () => {
      const { rows } = await backoffice.database.query(
        `select from outbox as o where o.destination = 'mail' and o.delivered_at is null and o.attempts >= 2`,
      );
      return rows.length > 0;
    });
    expect(await shown(guest)).toMatchObject({ invitation: { state: 'waiting', sentAt: null } });
    await reader.setSwitches({});
    await until('it is not sent', async () => (await shown(guest))?.invitation?.state === 'sent');
    expect(await mailsTo(guest.email)).toHaveLength(1);
  });

  it('keeps its Message-ID when it is sent again because the answer was lost', async () => {
    await reader.setSwitches({ dropAfterData: true });
    const guest = await invite();
    startRelay();
    await until('one came', async () => (await mailsTo(guest.email)).length > 0);
    await reader.setSwitches({});
    await until('it is not sent', async () => (await shown(guest))?.invitation?.state === 'sent');
    const ids = (await mailsTo(guest.email)).map(({ MessageID }) => MessageID);
    expect(ids.length).toBeGreaterThan(1);
    expect(new Set(ids).size).toBe(1);
    // All of them hold the one token, which is still good.
    const { Text } = await reader.message('latest');
    const [, token = ''] = /#(\S+)/.exec(Text) ?? [];
    expect((await lookUp(token)).status).toBe(200);
  });

  it('that the mail server refuses for good is shown as refused, and audited without the address', async () => {
    const guest = await invite();
    await reader.setSwitches({ refuseRecipients: { [guest.email]: 550 } });
    await deliverAll();
    expect(await shown(guest)).toMatchObject({ invitation: { state: 'refused', sentAt: null } });
    const event = (await audited(guest.id)).find(({ action }) => action === 'invitation_refused');
    expect(event).toMatchObject({ actor: 'process:worker' });
    expect(String(event?.details['reason'])).toContain('550');
    expect(JSON.stringify(event)).not.toContain(guest.email);
    const { rows } = await backoffice.database.query(
      'select i.sealed_token from invitations as i where i.operator_id = $1',
      [guest.id],
    );
    expect(rows).toEqual([{ sealed_token: null }]);
  });

  it('is not sent to somebody who was taken out meanwhile, nor when its time is over', async () => {
    const removed = await invite();
    expect((await alda.call('DELETE', `${operators}/${removed.id}`)).status).toBe(204);
    const over = await invite();
    await backoffice.database.query(
      'update invitations as i set expires_at = $1 where i.operator_id = $2',
      [backoffice.clock.now(), over.id],
    );
    await deliverAll();
    expect(await mailsTo(removed.email)).toEqual([]);
    expect(await mailsTo(over.email)).toEqual([]);
    expect(await shown(over)).toMatchObject({ invitation: { state: 'ended' } });
    const { rows } = await backoffice.database.query(
      'select from invitations as i where i.operator_id = any($1) and i.sealed_token is not null',
      [[removed.id, over.id]],
    );
    expect(rows).toEqual([]);
  });

  it('is set aside when the outbox names no invitation', async () => {
    const { sealer, database, clock } = backoffice;
    const deliver = deliverInvitations({
      ...{ sealer, database, clock, mailer },
      ...{ publicUrl: backoffice.url, messageIdDomain: 'platform.example' },
    });
    const row = { subject: 'x', name: 'invitation', payload: {} };
    await expect(deliver(row)).rejects.toThrow('names no invitation');
  });

  it('may be quoted by the mail server, but not what stands behind the #', async () => {
    const { sealer, database, clock } = backoffice;
    const guest = await invite();
    const token = await tokenOf(guest);
    const response = `554 bad link ${backoffice.url}/invitation#${token.slice(0, 30)}`;
    const deliver = deliverInvitations({
      ...{ sealer, database, clock },
      ...{ publicUrl: backoffice.url, messageIdDomain: 'platform.example' },
      mailer: {
        send: () => Promise.resolve({ result: 'refused', permanent: true, reason: response }),
      },
    });
    const { rows } = await database.query<{ payload: object }>(
      `select o.payload from outbox as o where o.destination = 'mail' order by o.outbox_id desc limit 1`,
    );
    await deliver({ subject: '', name: 'invitation', payload: rows[0]?.payload });
    const event = (await audited(guest.id)).find(({ action }) => action === 'invitation_refused');
    expect(event?.details['reason']).toBe(`554 bad link ${backoffice.url}/invitation#[…]`);
  });
});

describe('the token of an invitation', () => {
  it('is in no log line, and in the database only as a hash and until it was sent sealed', async () => {
    const guest = await invite();
    const token = await tokenOf(guest);
    backoffice.clock.advance(30);
    expect((await again(guest)).status).toBe(201);
    const second = await tokenOf(guest);
    await reader.setSwitches({ failAll: true });
    startRelay();
    await until('it was not tried', async () => {
      const { rows } = await backoffice.database.query(
        `select from outbox as o where o.destination = 'mail' and o.delivered_at is null and o.attempts >= 1`,
      );
      return rows.length > 0;
    });
    await reader.setSwitches({});
    await until('it is not sent', async () => (await shown(guest))?.invitation?.state === 'sent');
    expect((await lookUp(token)).status).toBe(410);
    await accept(second, 'too short');
    expect((await accept(second)).status).toBe(200);
    expect((await lookUp(second)).status).toBe(410);

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
    expect(everything).toContain(guest.id);
    for (const canary of [token, second]) expect(everything).not.toContain(canary);
    const { rows } = await backoffice.database.query(
      'select from invitations as i where i.operator_id = $1 and i.sealed_token is not null',
      [guest.id],
    );
    expect(rows).toEqual([]);
    const { rows: payloads } = await backoffice.database.query<{ keys: string[] }>(
      `select distinct array(select jsonb_object_keys(o.payload)) as keys from outbox as o where o.destination = 'mail'`,
    );
    expect(payloads).toEqual([{ keys: ['invitationId'] }]);
    const { rows: mails } = await backoffice.database.query('select from mails');
    expect(mails).toEqual([]);
  });

  it('is good for a week, and not at its end', async () => {
    const guest = await invite();
    const token = await tokenOf(guest);
    const endsMs = Date.parse(guest.invitation?.expiresAt ?? '');
    const left = () => (endsMs - backoffice.clock.now().getTime()) / 1000;
    backoffice.clock.advance(left() - 5);
    expect((await lookUp(token)).status).toBe(200);
    backoffice.clock.advance(left());
    expect((await lookUp(token)).status).toBe(410);
    expect((await accept(token)).status).toBe(410);
    alda = createOperatorDriver(backoffice.url);
    expectAnswer(await alda.signIn('alda@loja.example', operatorPassword), 200);
    expect(await shown(guest)).toMatchObject({ invitation: { state: 'ended' } });
    expect((await again(guest)).status).toBe(201);
  });
});
