import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  obtainGrant,
  startTestBackoffice,
  type OperatorName,
  type TestBackoffice,
  type TestCertificate,
} from '../../test/support/backoffice.ts';
import type { OperatorDriver } from '../stack/operator-driver.ts';

let backoffice: TestBackoffice;
let ana: OperatorDriver;
let certificate: TestCertificate;

const recipients = async ({ certificateId } = certificate) =>
  (await ana.call('GET', `/api/certificates/${certificateId}/recipients`)).body as {
    nextReminderAt: string | null;
    items: { name: string }[];
  };
const insertMail = (mailId: string, to: OperatorName, state: string, at: Date) =>
  backoffice.database.query(
    `insert into mails (mail_id, account_id, operator_id, certificate_id, kind, message_id, recipient, subject, text_body, html_body, state,
       created_at, sent_at)
     values ($1, $2, $3, $4, 'reminder', $1, $5, 'A subject', 'A text', '<p>A text</p>', $6::text, $7,
       case when $6::text = 'accepted' then $7::timestamptz end)`,
    [
      mailId,
      backoffice.accountId,
      backoffice.operatorId(to),
      certificate.certificateId,
      `${to}@loja.example`,
      state,
      at,
    ],
  );

beforeAll(async () => {
  backoffice = await startTestBackoffice();
  ana = await backoffice.signedIn('ana');
  certificate = await backoffice.newCertificate();
  await obtainGrant(backoffice, ana, certificate);
  await insertMail('mail-before', 'rui', 'refused', new Date('2026-01-01T09:00:00Z'));
  await insertMail('mail-last', 'rui', 'accepted', new Date('2026-01-02T09:00:00Z'));
  await insertMail('mail-leaver', 'leaver', 'accepted', new Date('2026-01-02T09:00:00Z'));
  await backoffice.removeOperator('leaver');
});
afterAll(() => backoffice.close());

describe('who is told', () => {
  it('is every operator of the account, with what they were told last', async () => {
    expect(await recipients()).toMatchObject({
      timeZone: 'Europe/Lisbon',
      reminderHour: 9,
      items: [
        { name: 'Operator alda', email: 'alda@loja.example', role: 'admin', lastDelivery: null },
        { name: 'Operator ana', role: 'operator' },
        {
          name: 'Operator rui',
          lastDelivery: {
            mailId: 'mail-last',
            kind: 'reminder',
            state: 'accepted',
            at: '2026-01-02T09:00:00.000Z',
          },
        },
        { name: 'Operator vera', role: 'viewer' },
      ],
    });
    expect(JSON.stringify(await recipients())).not.toContain('leaver');
  });

  it('is reminded next at nine in Lisbon, or at the start of the last week where that is later that day', async () => {
    const { nextReminderAt } = await recipients();
    const detail = await ana.call('GET', `/api/certificates/${certificate.certificateId}`);
    const { access } = detail.body as { access: { expiresAt: string } };
    const weekBefore = Date.parse(access.expiresAt) - 7 * 86_400_000;
    const lisbon = (at: number, options: Intl.DateTimeFormatOptions) =>
      new Intl.DateTimeFormat('en-GB', { timeZone: 'Europe/Lisbon', ...options }).format(at);
    const at = Date.parse(nextReminderAt ?? '');
    const time = { hour: '2-digit', minute: '2-digit' } as const;
    const isEarly = lisbon(weekBefore, time) < '09:00';
    expect(lisbon(at, { dateStyle: 'short' })).toBe(lisbon(weekBefore, { dateStyle: 'short' }));
    if (isEarly) expect(lisbon(at, time)).toBe('09:00');
    else expect(at).toBe(weekBefore);
  });

  it('is not reminded of an access that was never granted, or has ended', async () => {
    expect(await recipients(await backoffice.newCertificate())).toMatchObject({
      nextReminderAt: null,
    });
    const short = await backoffice.newCertificate({ factors: [] });
    await obtainGrant(backoffice, ana, short, { lifetimeSeconds: 600 });
    expect((await recipients(short)).nextReminderAt).not.toBeNull();
    backoffice.clock.advance(600);
    expect((await recipients(short)).nextReminderAt).toBeNull();
  });

  it('is told to nobody of another account', async () => {
    const stranger = await backoffice.signedIn('stranger');
    const { status, body } = await stranger.call(
      'GET',
      `/api/certificates/${certificate.certificateId}/recipients`,
    );
    expect({ status, body }).toMatchObject({ status: 404, body: { code: 'not_found' } });
  });
});

describe('a mail', () => {
  it('is shown as it was sent, to every role', async () => {
    const vera = await backoffice.signedIn('vera');
    expect(await vera.call('GET', '/api/mails/mail-last')).toMatchObject({
      status: 200,
      body: {
        id: 'mail-last',
        certificateId: certificate.certificateId,
        recipient: { name: 'Operator rui', email: 'rui@loja.example' },
        subject: 'A subject',
        text: 'A text',
        html: '<p>A text</p>',
        state: 'accepted',
        sentAt: '2026-01-02T09:00:00.000Z',
      },
    });
  });

  it('has no address any more when the recipient has left', async () => {
    const { body } = await ana.call('GET', '/api/mails/mail-leaver');
    expect(body).toMatchObject({ recipient: { name: 'Operator leaver', email: null } });
  });

  it('is not there for somebody of another account, just as one that does not exist', async () => {
    const stranger = await backoffice.signedIn('stranger');
    const answers = await Promise.all(
      ['mail-last', 'none'].map((id) => stranger.call('GET', `/api/mails/${id}`)),
    );
    const [theirs, none] = answers.map(({ status, body }) => ({
      status,
      body: { ...(body as object), instance: undefined },
    }));
    expect(theirs).toMatchObject({ status: 404, body: { code: 'not_found' } });
    expect(theirs).toEqual(none);
  });
});
