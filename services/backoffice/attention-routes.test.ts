import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { insertGrant } from '../../test/support/grants.ts';
import {
  open,
  startTestBackoffice,
  type OperatorName,
  type TestBackoffice,
  type TestCertificate,
} from '../../test/support/backoffice.ts';
import type { OperatorDriver } from '../stack/operator-driver.ts';

let backoffice: TestBackoffice;
let ana: OperatorDriver;
let rui: OperatorDriver;

type Item = { kind: string; certificate?: { id: string } } & Record<string, unknown>;
const attention = async (driver = ana, query = '') =>
  (await driver.call('GET', `/api/attention${query}`)).body as { items: Item[]; total: number };
const kinds = async () => (await attention()).items.map(({ kind }) => kind);

const grant = async (
  { certificateId }: TestCertificate,
  secondsFromNow: number,
  used = 0,
): Promise<void> => {
  const now = backoffice.clock.now().getTime();
  await insertGrant(backoffice.database, backoffice.sealer, {
    certificateId,
    accountId: backoffice.accountId,
    operatorId: backoffice.operatorId('rui'),
    effectiveAt: new Date(now - 30 * 86_400_000),
    expiresAt: new Date(now + secondsFromNow * 1000),
    allowance: 100,
    used,
  });
};
const suspend = ({ serviceIds }: TestCertificate) =>
  backoffice.database.query(
    "update client_services set status = 'suspended' where client_service_id = any($1)",
    [serviceIds],
  );
let mails = 0;
const mail = async (to: OperatorName, state: string, { certificateId }: TestCertificate) => {
  mails += 1;
  await backoffice.database.query(
    `insert into mails (mail_id, account_id, operator_id, certificate_id, kind, message_id, recipient, subject, text_body, html_body, state,
       created_at)
     values ($1, $2, $3, $4, 'reminder', $1, 'canary@loja.example', 's', 't', 'h', $5, $6)`,
    [
      `mail-${mails}`,
      backoffice.accountId,
      backoffice.operatorId(to),
      certificateId,
      state,
      new Date(Date.UTC(2026, 0, 1, 0, mails)),
    ],
  );
};

let fresh: TestCertificate;
beforeAll(async () => {
  backoffice = await startTestBackoffice();
  [ana, rui] = await Promise.all([backoffice.signedIn('ana'), backoffice.signedIn('rui')]);
  fresh = await backoffice.newCertificate();
  await grant(fresh, 30 * 86_400);
  await backoffice.newCertificate();
});
afterAll(() => backoffice.close());

describe('what needs somebody now', () => {
  it('is nothing while every access is in force, and what was never granted is no trouble', async () => {
    expect(await attention()).toEqual({ items: [], total: 0 });
  });

  it('is what does not sign, then what soon will not, then the rest, and for colleagues only', async () => {
    const sixDays = await backoffice.newCertificate();
    await grant(sixDays, 6 * 86_400);
    const usedUp = await backoffice.newCertificate({ services: 2 });
    await grant(usedUp, 20 * 86_400, 100);
    await suspend(usedUp);
    const nearlyUsed = await backoffice.newCertificate();
    await grant(nearlyUsed, 20 * 86_400, 95);
    const renewed = await backoffice.newCertificate({ services: 1 });
    await grant(renewed, 20 * 86_400);
    await suspend(renewed);
    const expired = await backoffice.newCertificate();
    await grant(expired, -60);
    const { id: renewalId } = await open(rui, fresh);
    await mail('rui', 'accepted', fresh);
    await mail('rui', 'failed', fresh);
    await mail('vera', 'refused', fresh);
    await mail('vera', 'accepted', fresh);

    const { items, total } = await attention();
    expect(items).toMatchObject([
      {
        kind: 'certificate_lapsed',
        certificate: { id: expired.certificateId },
        reason: 'grant_expired',
        suspendedServiceCount: 0,
      },
      {
        kind: 'certificate_lapsed',
        certificate: { id: usedUp.certificateId },
        reason: 'allowance_exhausted',
        since: null,
        suspendedServiceCount: 2,
      },
      { kind: 'services_suspended', certificate: { id: renewed.certificateId } },
      {
        kind: 'certificate_warned',
        certificate: { id: nearlyUsed.certificateId },
        warnings: ['usage'],
      },
      { kind: 'certificate_warned', certificate: { id: sixDays.certificateId } },
      { kind: 'mail_undelivered', operatorName: 'Operator rui', state: 'failed', mailId: 'mail-2' },
      { kind: 'renewal_in_progress', operatorName: 'Operator rui', renewalId },
    ]);
    expect(total).toBe(7);
    expect((await attention(rui)).items.map(({ kind }) => kind)).not.toContain(
      'renewal_in_progress',
    );
    expect(JSON.stringify(items)).not.toContain('canary');
  });

  it('is bounded, and says how many there are', async () => {
    const { items, total } = await attention(ana, '?limit=2');
    expect(items.map(({ kind }) => kind)).toEqual(['certificate_lapsed', 'certificate_lapsed']);
    expect(total).toBe(7);
  });

  it('names an account that no mail reaches any more only when the last operator was refused', async () => {
    for (const name of ['ana', 'rui', 'vera', 'alda'] as const) await mail(name, 'refused', fresh);
    expect(await kinds()).not.toContain('nobody_reachable');
    await mail('leaver', 'refused', fresh);
    expect(await kinds()).toContain('nobody_reachable');
    await backoffice.removeOperator('leaver');
    expect(await kinds()).toContain('nobody_reachable');
    await mail('vera', 'accepted', fresh);
    expect(await kinds()).not.toContain('nobody_reachable');
  });

  it('leaves out a renewal whose time is over, though nobody closed it yet', async () => {
    expect(await kinds()).toContain('renewal_in_progress');
    backoffice.clock.advance(15 * 60);
    expect(await kinds()).not.toContain('renewal_in_progress');
  });

  it('shows nothing of other accounts', async () => {
    const stranger = await backoffice.signedIn('stranger');
    expect(await attention(stranger)).toEqual({ items: [], total: 0 });
  });
});
