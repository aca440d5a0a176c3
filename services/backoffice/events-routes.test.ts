import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { problems } from '../../domain/errors.ts';
import { createLog } from '../shared/log.ts';
import { followScreenChanges } from '../../infra/postgres/screen-changes.ts';
import { insertGrant } from '../../test/support/grants.ts';
import {
  open,
  operatorPassword,
  startTestBackoffice,
  type OperatorName,
  type TestBackoffice,
  type TestCertificate,
} from '../../test/support/backoffice.ts';
import type { OperatorDriver } from '../stack/operator-driver.ts';
import { createEventStreams } from './event-streams.ts';

let backoffice: TestBackoffice;
let ana: OperatorDriver;
let certificate: TestCertificate;

beforeAll(async () => {
  backoffice = await startTestBackoffice();
  ana = await backoffice.signedIn('ana');
  certificate = await backoffice.newCertificate({ services: 1 });
});
afterAll(() => backoffice.close());

const deadlineMs = 10_000;
async function until(isSo: () => boolean, what: string): Promise<void> {
  const endsAt = Date.now() + deadlineMs;
  while (!isSo()) {
    if (Date.now() > endsAt) throw new Error(`not within ${deadlineMs} ms: ${what}`);
    await sleep(10);
  }
}

/** A browser that signed in, and can open streams. */
async function listener(name: OperatorName) {
  const call = (method: string, path: string, headers: Record<string, string>, body?: object) =>
    fetch(backoffice.url + path, {
      method,
      headers: { ...headers, ...(body && { 'content-type': 'application/json' }) },
      ...(body && { body: JSON.stringify(body) }),
    });
  const email = `${name}@loja.example`;
  const session = await call('POST', '/api/session', {}, { email, password: operatorPassword });
  const cookie = session.headers.getSetCookie()[0]?.split(';')[0] ?? '';
  return {
    signOut: () => call('DELETE', '/api/session', { cookie }),
    tryToListen: () => call('GET', '/api/events', { cookie }),
    async listen() {
      const cut = new AbortController();
      const response = await fetch(`${backoffice.url}/api/events`, {
        headers: { cookie },
        signal: cut.signal,
      });
      const stream = {
        response,
        text: '',
        isOver: false,
        leave: () => {
          cut.abort();
        },
      };
      const decoder = new TextDecoder();
      void (async () => {
        try {
          for await (const chunk of response.body ?? []) {
            stream.text += decoder.decode(chunk as Uint8Array, { stream: true });
          }
        } catch {
          // Cut off, by this side or the other.
        }
        stream.isOver = true;
      })();
      await until(() => stream.text.includes('retry:'), 'the stream has begun');
      return stream;
    },
  };
}

const changed = ({ certificateId }: TestCertificate, what: string) =>
  `event: changed\ndata: ${JSON.stringify({ certificateId, what })}\n\n`;
const toggle = async (of: TestCertificate): Promise<void> => {
  await backoffice.database.query(
    "update client_services set status = case status when 'active' then 'inactive' else 'active' end where certificate_id = $1",
    [of.certificateId],
  );
};

describe('the live events', () => {
  it("tell a colleague's screen of a renewal and of a client service, as soon as they are so", async () => {
    const rui = await (await listener('rui')).listen();
    expect(rui.response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    expect(rui.text).toMatch(/^retry: \d+\n\n/);
    await open(ana, certificate);
    await until(() => rui.text.includes(changed(certificate, 'renewal')), 'renewal');
    await toggle(certificate);
    await until(() => rui.text.includes(changed(certificate, 'client_service')), 'client service');
    rui.leave();
  });

  it('tell of grants, thresholds and mails', async () => {
    const of = await backoffice.newCertificate();
    const vera = await (await listener('vera')).listen();
    const now = backoffice.clock.now();
    const grantId = await insertGrant(backoffice.database, backoffice.sealer, {
      certificateId: of.certificateId,
      accountId: backoffice.accountId,
      operatorId: backoffice.operatorId('rui'),
      effectiveAt: now,
      expiresAt: new Date(now.getTime() + 60_000),
    });
    await until(() => vera.text.includes(changed(of, 'grant')), 'grant');
    await backoffice.database.query(
      'insert into usage_thresholds (grant_id, percent, used, reached_at) values ($1, 90, 1, now())',
      [grantId],
    );
    await until(() => vera.text.includes(changed(of, 'usage')), 'usage');
    await backoffice.database.query(
      `insert into mails (mail_id, account_id, operator_id, certificate_id, kind, message_id, recipient, subject, text_body, html_body, state,
         created_at)
       values ('m', $1, $2, $3, 'reminder', 'm', 'x@y.example', 's', 't', 'h', 'sending', now())`,
      [backoffice.accountId, backoffice.operatorId('vera'), of.certificateId],
    );
    await until(() => vera.text.includes(changed(of, 'mail')), 'mail');
    expect(vera.text).not.toContain('x@y.example');
    vera.leave();
  });

  it('tell nothing of other accounts, and nothing to an operator who is no longer one', async () => {
    const [stranger, leaver, vera] = await Promise.all(
      (['stranger', 'leaver', 'vera'] as const).map(async (name) =>
        (await listener(name)).listen(),
      ),
    );
    if (!stranger || !leaver || !vera) throw new Error('three listen');
    await toggle(certificate);
    await until(() => leaver.text.includes('changed'), 'still an operator');
    const before = leaver.text;
    // The membership alone, so that it is the account that is asked for and not the session.
    await backoffice.database.query('delete from account_operators where operator_id = $1', [
      backoffice.operatorId('leaver'),
    ]);
    vera.text = '';
    await toggle(certificate);
    await until(() => vera.text.includes('changed'), 'vera is told');
    await toggle(certificate);
    await until(() => (vera.text.match(/changed/g) ?? []).length >= 2, 'vera is told again');
    expect(leaver.text).toBe(before);
    expect(stranger.text).not.toContain('changed');
    for (const stream of [stranger, leaver, vera]) stream.leave();
  });

  it('end when the session is signed out, in every tab and in no other session', async () => {
    const browser = await listener('ana');
    const [one, two] = [await browser.listen(), await browser.listen()];
    const other = await (await listener('ana')).listen();
    await browser.signOut();
    await until(() => one.isOver && two.isOver, 'both tabs');
    expect(other.isOver).toBe(false);
    expect((await browser.tryToListen()).status).toBe(401);
    other.leave();
  });

  it('end at the next change when the session has not been used for too long', async () => {
    const vera = await (await listener('vera')).listen();
    backoffice.clock.advance(28_801);
    await toggle(certificate);
    await until(() => vera.isOver, 'the session is over');
    expect(vera.text).not.toContain('changed');
  });

  it('are not to be had more than five times by one session, and again when a tab was closed', async () => {
    const browser = await listener('alda');
    const tabs = [];
    for (let tab = 0; tab < 5; tab += 1) tabs.push(await browser.listen());
    const refused = await browser.tryToListen();
    expect(refused.status).toBe(429);
    expect(refused.headers.get('retry-after')).toBe('60');
    expect(await refused.json()).toMatchObject({ code: 'too_many_requests' });
    tabs[0]?.leave();
    let again = await browser.tryToListen();
    for (const endsAt = Date.now() + deadlineMs; again.status === 429 && Date.now() < endsAt;) {
      await sleep(20);
      again = await browser.tryToListen();
    }
    expect(again.status).toBe(200);
    await again.body?.cancel();
    for (const tab of tabs) tab.leave();
  });

  it('beat, so that proxies keep the connection and a session that ended is found', async () => {
    const changes = followScreenChanges({
      url: backoffice.databaseUrl,
      applicationName: 'beat test',
    });
    const streams = createEventStreams({
      database: backoffice.store.database,
      clock: backoffice.clock,
      limits: { idleSeconds: 28_800, absoluteSeconds: 604_800 },
      changes,
      log: createLog({ service: 'backoffice', level: 'silent' }),
      heartbeatMs: 20,
    });
    await backoffice.signedIn('rui');
    const { rows } = await backoffice.database.query<{ session_id: string }>(
      'select session_id from sessions where operator_id = $1 and ended_at is null order by created_at desc limit 1',
      [backoffice.operatorId('rui')],
    );
    const stream = streams.open({
      operatorId: backoffice.operatorId('rui'),
      sessionId: rows[0]?.session_id ?? '',
    });
    let text = '';
    let isOver = false;
    stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
    stream.once('end', () => (isOver = true));
    await until(() => (text.match(/: still here\n\n/g) ?? []).length >= 2, 'two beats');
    expect(isOver).toBe(false);
    backoffice.clock.advance(28_801);
    await until(() => isOver, 'ended without any change');
    await changes.stop();
  });

  it('leave nothing behind when the last one ends, as on stop', async () => {
    let subscribers = 0;
    const streams = createEventStreams({
      database: backoffice.store.database,
      clock: backoffice.clock,
      limits: { idleSeconds: 28_800, absoluteSeconds: 604_800 },
      changes: {
        subscribe() {
          subscribers += 1;
          return () => (subscribers -= 1);
        },
        stop: () => Promise.resolve(),
      },
      log: createLog({ service: 'backoffice', level: 'silent' }),
    });
    const caller = { operatorId: 'o', sessionId: 's' };
    const open = [streams.open(caller), streams.open(caller)];
    expect(subscribers).toBe(1);
    open[0]?.destroy();
    await until(() => open[0]?.closed ?? false, 'one is closed');
    expect(subscribers).toBe(1);
    open[1]?.destroy();
    await until(() => subscribers === 0, 'nobody listens');
    streams.open(caller).destroy();
    await until(() => subscribers === 0, 'nobody listens again');
  });

  it('are no more than an operator may have in all sessions, and a process in all', async () => {
    const streams = createEventStreams({
      database: backoffice.database,
      clock: backoffice.clock,
      limits: { idleSeconds: 28_800, absoluteSeconds: 604_800 },
      changes: { subscribe: () => () => undefined, stop: () => Promise.resolve() },
      log: createLog({ service: 'backoffice', level: 'silent' }),
      streamsPerProcess: 21,
    });
    const opened = Array.from({ length: 20 }, (_, index) =>
      streams.open({ operatorId: 'o', sessionId: `session ${index % 10}` }),
    );
    const open = (operatorId: string) => () =>
      opened.push(streams.open({ operatorId, sessionId: `new of ${operatorId}` }));
    expect(open('o')).toThrow(problems.too_many_requests[0]);
    open('somebody else')();
    expect(open('a third')).toThrow(problems.unavailable[0]);
    const closed = Promise.all(opened.map((stream) => once(stream, 'close')));
    for (const stream of opened) stream.destroy();
    await closed;
    streams.open({ operatorId: 'o', sessionId: 's' }).destroy();
  });

  it('say that everything may have changed when notifications may have been missed', async () => {
    const vera = await (await listener('vera')).listen();
    const { rowCount } = await backoffice.database.query(
      `select pg_terminate_backend(a.pid) from pg_stat_activity as a
       where a.application_name = 'backoffice test listening' and a.datname = current_database()`,
    );
    expect(rowCount).toBe(1);
    const event = 'event: changed\ndata: {"certificateId":null,"what":"everything"}\n\n';
    await until(() => vera.text.includes(event), 'everything');
    await toggle(certificate);
    await until(() => vera.text.includes(changed(certificate, 'client_service')), 'told again');
    vera.leave();
  });

  it('end at once when the operator is taken out of an account, in every browser', async () => {
    const browsers = [await listener('rui'), await listener('rui')];
    const [one, two] = await Promise.all(browsers.map((browser) => browser.listen()));
    const ana = await (await listener('ana')).listen();
    await backoffice.removeOperator('rui');
    await until(() => one?.isOver === true && two?.isOver === true, 'both browsers');
    for (const browser of browsers) expect((await browser.tryToListen()).status).toBe(401);
    expect(ana.isOver).toBe(false);
    ana.leave();
  });
});
