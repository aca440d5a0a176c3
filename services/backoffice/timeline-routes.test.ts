import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { recordAudit } from '../../infra/postgres/audit.ts';
import { insertGrant } from '../../test/support/grants.ts';
import {
  obtainGrant,
  startTestBackoffice,
  type TestBackoffice,
  type TestCertificate,
} from '../../test/support/backoffice.ts';
import type { OperatorDriver } from '../stack/operator-driver.ts';
import { csvLine } from './csv.ts';

let backoffice: TestBackoffice;
let ana: OperatorDriver;
let certificate: TestCertificate;

type Entry = {
  id: string;
  at: string;
  type: string;
  action: string;
  actor: { kind: string; name: string | null };
  details: Record<string, unknown>;
};
type Page = { items: Entry[]; nextCursor: string | null };

const path = (query = '', id = certificate.certificateId) =>
  `/api/certificates/${id}/timeline${query}`;
const page = async (query = '', id?: string): Promise<Page> => {
  const { status, body } = await ana.call('GET', path(query, id));
  expect(status).toBe(200);
  return body as Page;
};
const csv = async (query = '') => {
  const session = await fetch(`${backoffice.url}/api/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email: 'vera@loja.example', password: 'a long enough password' }),
  });
  const cookie = session.headers.getSetCookie()[0]?.split(';')[0] ?? '';
  return fetch(backoffice.url + path(`?format=csv${query}`), { headers: { cookie } });
};
const insertMail = async (id: string, operator: 'rui' | 'leaver', state: string) => {
  await backoffice.database.query(
    `insert into mails (mail_id, account_id, operator_id, certificate_id, kind, message_id, recipient, subject, text_body, html_body, state,
       error, created_at, sent_at)
     values ($1, $2, $3, $4, 'reminder', $1, $5, 'Access ends in 7 days', 'text', '<p>html</p>', $6, 'canary-smtp-error', $7, $7)`,
    [
      id,
      backoffice.accountId,
      backoffice.operatorId(operator),
      certificate.certificateId,
      `${operator}@loja.example`,
      state,
      backoffice.clock.now(),
    ],
  );
};

beforeAll(async () => {
  backoffice = await startTestBackoffice();
  ana = await backoffice.signedIn('ana');
  certificate = await backoffice.newCertificate({ services: 1 });
  await obtainGrant(backoffice, ana, certificate);
  await insertMail('mail-1', 'leaver', 'refused');
  await backoffice.removeOperator('leaver');
  await recordAudit(backoffice.database, {
    at: backoffice.clock.now(),
    actor: 'process:worker',
    action: 'operator_undeliverable',
    accountId: backoffice.accountId,
    certificateId: certificate.certificateId,
    subject: 'access_grant:any',
    details: {
      operatorId: backoffice.operatorId('leaver'),
      kind: 'reminder',
      slot: '2026-01-01',
      reason: '550 <leaver@loja.example> unknown',
    },
  });
  await recordAudit(backoffice.database, {
    at: backoffice.clock.now(),
    actor: 'api_key:none',
    action: 'something_of_tomorrow',
    certificateId: certificate.certificateId,
    subject: 'access_grant:any',
    details: { sad: 'canary-sad' },
  });
});
afterAll(() => backoffice.close());

describe('the timeline of a certificate', () => {
  it('tells the newest first, who did it by name, and the grant with its limits', async () => {
    const { items, nextCursor } = await page();
    expect(nextCursor).toBeNull();
    expect(items.map(({ action }) => action)).toEqual([
      ...['something_of_tomorrow', 'operator_undeliverable', 'mail_sent', 'access_granted'],
      ...['authorization_asked', 'code_window_opened', 'returned_from_ca'],
      ...['renewal_opened', 'client_service_created', 'certificate_created'],
    ]);
    expect(items.find(({ action }) => action === 'access_granted')).toMatchObject({
      type: 'grant',
      actor: { kind: 'operator', name: 'Operator ana' },
      details: {
        allowance: 1_000_000_000,
        bindingLimit: 'policy_time',
        expiresAt: expect.stringMatching(/^\d{4}-.*Z$/) as unknown,
        factors: ['pin', 'otp'],
      },
    });
    expect(items.find(({ action }) => action === 'mail_sent')).toMatchObject({
      id: 'mail-mail-1',
      actor: { kind: 'process', name: 'worker' },
      details: { mailId: 'mail-1', state: 'refused', operatorName: 'Operator leaver' },
    });
    expect(items[0]).toMatchObject({
      type: 'other',
      actor: { kind: 'api_key', name: null },
      details: {},
    });
  });

  it('shows no secret, no id of a person, and no address of somebody who left', async () => {
    const everything = JSON.stringify(await page()) + (await (await csv()).text());
    expect(everything).not.toMatch(/canary|@loja\.example|sealed|state_hash/);
    expect(everything).not.toContain(backoffice.operatorId('ana'));
    expect(everything).not.toContain(backoffice.operatorId('leaver'));
  });

  it('comes in pages that leave out nothing and repeat nothing', async () => {
    const whole = await page();
    const seen: Entry[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const next: Page = await page(`?limit=1${cursor && `&cursor=${cursor}`}`);
      expect(next.items).toHaveLength(1);
      seen.push(...next.items);
      cursor = next.nextCursor;
    }
    expect(seen).toEqual(whole.items);
  });

  it.each([
    ['grant', ['access_granted']],
    ['mail', ['operator_undeliverable', 'mail_sent']],
    ['configuration', ['client_service_created', 'certificate_created']],
    ['usage', []],
    ['other', ['something_of_tomorrow']],
  ])('shows of type %s only these', async (type, actions) => {
    const { items } = await page(`?type=${type}`);
    expect(items.map(({ action }) => action)).toEqual(actions);
    expect(new Set(items.map((entry) => entry.type)).size).toBe(actions.length === 0 ? 0 : 1);
  });

  it('knows a grant that no renewal of ours obtained, once', async () => {
    const other = await backoffice.newCertificate();
    const now = backoffice.clock.now();
    const grantId = await insertGrant(backoffice.database, backoffice.sealer, {
      certificateId: other.certificateId,
      accountId: backoffice.accountId,
      operatorId: backoffice.operatorId('rui'),
      effectiveAt: now,
      expiresAt: new Date(now.getTime() + 3_600_000),
    });
    const { items } = await page('?type=grant', other.certificateId);
    expect(items).toMatchObject([
      { id: `grant-${grantId}`, actor: { kind: 'operator', name: 'Operator rui' } },
    ]);
  });

  it.each(['nonsense', Buffer.from('["2026-02-31T00:00:00.000000Z",0,"x"]').toString('base64url')])(
    'refuses the cursor %s',
    async (cursor) => {
      const { status, body } = await ana.call('GET', path(`?cursor=${cursor}`));
      expect({ status, body }).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
    },
  );

  it('is not there for somebody of another account, in any format, just as one that does not exist', async () => {
    const stranger = await backoffice.signedIn('stranger');
    for (const query of ['', '?format=csv']) {
      const theirs = await stranger.call('GET', path(query));
      const none = await stranger.call('GET', path(query, 'none'));
      expect(theirs.status).toBe(404);
      const { instance: _one, ...shape } = theirs.body as Record<string, unknown>;
      const { instance: _two, ...same } = none.body as Record<string, unknown>;
      expect(shape).toEqual(same);
    }
  });
});

describe('the timeline as a file', () => {
  it('has a header row, every entry, and nothing that a spreadsheet would run', async () => {
    await backoffice.database.query('update operators set name = $2 where operator_id = $1', [
      backoffice.operatorId('ana'),
      '=HYPERLINK("http://evil.example","Ana, \n")',
    ]);
    const response = await csv();
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toMatch(/^text\/csv; charset=utf-8/);
    expect(response.headers.get('content-disposition')).toMatch(
      /^attachment; filename="timeline-\d{4}-\d\d-\d\d\.csv"$/,
    );
    const text = await response.text();
    expect(text).toMatch(/^at,type,action,actor kind,actor,details,id\r\n/);
    expect(text).toContain(`operator,"'=HYPERLINK(""http://evil.example"",""Ana, \n"")",`);
    expect(text.match(/\r\n/g)).toHaveLength((await page()).items.length + 1);
    const mails = await (await csv('&type=mail')).text();
    expect(mails.match(/\r\n/g)).toHaveLength(3);
  });

  it.each([
    [['a', 'b'], 'a,b\r\n'],
    [['a,b', 'say "x"', 'two\nlines'], '"a,b","say ""x""","two\nlines"\r\n'],
    [['=1+1', '+1', '-1', '@x', ' =1', '＝1'], "'=1+1,'+1,'-1,'@x,' =1,'＝1\r\n"],
    [['\tx', '', 'a=b'], "'\tx,,a=b\r\n"],
  ])('writes %j as RFC 4180 has it', (fields, line) => {
    expect(csvLine(fields)).toBe(line);
  });

  it('has every entry where there are more than one reading of the database takes', async () => {
    await backoffice.database.query(
      `insert into audit_events (at, actor, action, certificate_id, subject)
       select now() - interval '1 day', 'api_key:k', 'activation_handed_out', $1, 'client_service:s' from generate_series(1, 1203)`,
      [certificate.certificateId],
    );
    const lines = (await (await csv('&type=signing')).text()).split('\r\n');
    expect(lines).toHaveLength(1205);
    expect(new Set(lines).size).toBe(1205);
  });
});
