import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  goToCaAndBack,
  obtainGrant,
  startTestBackoffice,
  type TestBackoffice,
  type TestCertificate,
} from '../../test/support/backoffice.ts';
import { createBrowser } from '../stack/browser.ts';
import { createOperatorDriver, type OperatorDriver } from '../stack/operator-driver.ts';

let backoffice: TestBackoffice;
let ana: OperatorDriver;

beforeAll(async () => {
  backoffice = await startTestBackoffice();
  ana = await backoffice.signedIn('ana');
});
afterAll(() => backoffice.close());

type Service = { id: string; alias: string; status: string };
const detail = async ({ certificateId }: TestCertificate) =>
  (await ana.call('GET', `/api/certificates/${certificateId}`)).body as {
    access: Record<string, unknown>;
    clientServices: Service[];
  };

describe('the session', () => {
  it('tells who is signed in, with accounts, roles and what they may do', async () => {
    const { body } = await ana.call('GET', '/api/session');
    expect(body).toMatchObject({
      operator: { name: 'Operator ana', email: 'ana@loja.example' },
      accounts: [
        { name: 'Loja Azul', role: 'operator', permissions: ['read', 'renew', 'activate'] },
      ],
    });
    const alda = await backoffice.signedIn('alda');
    expect((await alda.call('GET', '/api/session')).body).toMatchObject({
      accounts: [{ permissions: ['read', 'renew', 'activate', 'settings', 'revoke', 'inspect'] }],
    });
  });

  it('tells the figures that this backoffice works by, and its time', async () => {
    const before = backoffice.clock.now();
    const { body } = await ana.call('GET', '/api/session');
    const { policy, serverNow } = body as { policy: object; serverNow: string };
    expect(policy).toEqual({
      grantSeconds: 5_184_000,
      allowance: 1_000_000_000,
      warningSeconds: 604_800,
      usageWarningPercent: 90,
      codeWindowSeconds: 120,
      attemptSeconds: 900,
      tries: 3,
    });
    expect(Date.parse(serverNow)).toBeGreaterThanOrEqual(before.getTime());
    expect(Date.parse(serverNow)).toBeLessThanOrEqual(backoffice.clock.now().getTime());
  });

  it.each([
    ['ana@loja.example', 'not her password'],
    ['nobody@loja.example', 'a long enough password'],
  ])('is refused to %s with %s in the same words', async (email, password) => {
    const driver = createOperatorDriver(backoffice.url);
    const { status, body } = await driver.signIn(email, password);
    expect({ status, body }).toMatchObject({ status: 401, body: { code: 'sign_in_refused' } });
  });

  it('is a new one at each sign-in, and the one before is over', async () => {
    const browser = createBrowser();
    const driver = createOperatorDriver(backoffice.url, browser);
    const first = await driver.signIn('ana@loja.example', 'a long enough password');
    const cookie = first.headers.getSetCookie()[0] ?? '';
    expect(cookie).toMatch(/^session=[\w-]{43}; Path=\/; Max-Age=604800; HttpOnly; SameSite=Lax$/);
    await driver.signIn('ana@loja.example', 'a long enough password');
    const old = await fetch(`${backoffice.url}/api/session`, {
      headers: { cookie: cookie.split(';')[0] ?? '' },
    });
    expect(old.status).toBe(401);
    expect((await driver.call('GET', '/api/session')).status).toBe(200);
  });

  it('ends by signing out', async () => {
    const driver = await backoffice.signedIn('ana');
    expect((await driver.call('DELETE', '/api/session')).status).toBe(204);
    expect((await driver.call('GET', '/api/certificates')).body).toMatchObject({
      code: 'session_required',
    });
  });

  it.each([
    ['cross-site origin', { origin: 'https://elsewhere.example' }, 403],
    ['cross-site fetch', { 'sec-fetch-site': 'cross-site' }, 403],
    ['same-site fetch', { 'sec-fetch-site': 'same-site' }, 403],
    ['form', { 'content-type': 'application/x-www-form-urlencoded' }, 415],
  ])('is not to be had with a %s', async (_, headers, status) => {
    const response = await fetch(`${backoffice.url}/api/session`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers } as Record<string, string>,
      body: JSON.stringify({ email: 'ana@loja.example', password: 'a long enough password' }),
    });
    expect(response.status).toBe(status);
    expect(response.headers.getSetCookie()).toEqual([]);
  });

  it('ends when it was not used for eight hours', async () => {
    const driver = await backoffice.signedIn('rui');
    backoffice.clock.advance(28_799);
    expect((await driver.call('GET', '/api/session')).status).toBe(200);
    backoffice.clock.advance(28_801);
    expect((await driver.call('GET', '/api/session')).status).toBe(401);
    ana = await backoffice.signedIn('ana');
  });
});

describe('the list', () => {
  it('shows the soonest trouble first, with totals, in pages', async () => {
    const alda = await backoffice.signedIn('alda');
    const lasting = async (lifetimeSeconds?: number) => {
      const certificate = await backoffice.newCertificate({ factors: [], services: 1 });
      await obtainGrant(backoffice, ana, certificate, lifetimeSeconds ? { lifetimeSeconds } : {});
      return certificate.certificateId;
    };
    const fresh = await lasting();
    const sixDays = await lasting(6 * 86_400);
    const fiveDays = await lasting(5 * 86_400);
    const lapsed = await lasting(60);
    const { certificateId: never } = await backoffice.newCertificate();
    backoffice.clock.advance(60);

    type List = { items: { id: string }[]; totals: object; nextCursor: string | null };
    const list = async (query: string) =>
      (await alda.call('GET', `/api/certificates?${query}`)).body as List;
    const all = await list('');
    expect(all.items.map(({ id }) => id)).toEqual([lapsed, fiveDays, sixDays, fresh, never]);
    expect(all).toMatchObject({
      totals: { none: 1, in_force: 1, warned: 2, lapsed: 1 },
      nextCursor: null,
    });
    expect(all.items[0]).toMatchObject({ standing: 'lapsed', reason: 'grant_expired' });
    expect(all.items[1]).toMatchObject({ standing: 'warned', warnings: ['time'] });

    const ids: string[] = [];
    let cursor = '';
    for (let pages = 0; pages < 3; pages += 1) {
      const page = await list(`limit=2${cursor && `&cursor=${cursor}`}`);
      ids.push(...page.items.map(({ id }) => id));
      cursor = page.nextCursor ?? '';
    }
    expect(ids).toEqual(all.items.map(({ id }) => id));
    expect(cursor).toBe('');

    const warned = await list('standing=warned&sort=expiry');
    expect(warned.items.map(({ id }) => id)).toEqual([fiveDays, sixDays]);
    expect(warned.totals).toEqual(all.totals);
    expect((await list('q=no such thing')).items).toEqual([]);
    expect(await alda.call('GET', '/api/certificates?cursor=x')).toMatchObject({ status: 400 });
  });

  it('tells what ends each access, and when, just as its page does', async () => {
    const running = await backoffice.newCertificate({ factors: [] });
    const grantId = await obtainGrant(backoffice, ana, running);
    const stopped = await backoffice.newCertificate({ factors: [] });
    await obtainGrant(backoffice, ana, stopped, { lifetimeSeconds: 60 });
    const bare = await backoffice.newCertificate();
    backoffice.clock.advance(3_600);
    await backoffice.database.query(
      'update usage_counters as u set used = 100000000 where u.grant_id = $1',
      [grantId],
    );
    const { items } = (await ana.call('GET', '/api/certificates')).body as {
      items: Record<string, unknown>[];
    };
    const listed = ({ certificateId }: TestCertificate) =>
      items.find(({ id }) => id === certificateId);
    for (const certificate of [running, stopped, bare]) {
      const { access } = await detail(certificate);
      const { effectiveAt, expiresAt, bindingLimit, forecast } = access;
      expect(listed(certificate)).toMatchObject({ effectiveAt, expiresAt, bindingLimit });
      const shown = (forecast as { endsAt: string } | null)?.endsAt ?? null;
      const told = (listed(certificate)?.['endsAt'] ?? null) as string | null;
      expect(told === null).toBe(shown === null);
      // The forecast goes by an average up to now, so it moves on with the clock.
      expect(Math.abs(Date.parse(told ?? '1970') - Date.parse(shown ?? '1970'))).toBeLessThan(
        120_000,
      );
    }
    expect(listed(running)).toMatchObject({ bindingLimit: 'policy_usage' });
    expect(listed(stopped)).toMatchObject({ endsAt: null, bindingLimit: 'ca' });
    expect(listed(bare)).toMatchObject({ effectiveAt: null, endsAt: null, bindingLimit: null });
  });

  it("shows nothing of other people's accounts", async () => {
    const stranger = await backoffice.signedIn('stranger');
    const { body } = await stranger.call('GET', '/api/certificates');
    expect(body).toMatchObject({ items: [], totals: { none: 0 } });
  });
});

describe('client services', () => {
  it('a lapse suspends with the renewal at the latest; only a hand activates, one and several', async () => {
    const certificate = await backoffice.newCertificate({ factors: [], services: 3 });
    const [one = '', two = '', three = ''] = certificate.serviceIds;
    const first = await obtainGrant(backoffice, ana, certificate, { lifetimeSeconds: 60 });
    await ana.call('POST', `/api/client-services/${three}/deactivation`);
    backoffice.clock.advance(60);
    expect(await ana.call('POST', `/api/client-services/${one}/activation`)).toMatchObject({
      status: 409,
      body: { code: 'access_blocked', reason: 'grant_expired' },
    });
    await obtainGrant(backoffice, ana, certificate);
    expect((await detail(certificate)).clientServices).toMatchObject([
      { id: one, status: 'suspended', reason: 'grant_expired', wasActive: true },
      { id: two, status: 'suspended', reason: 'grant_expired', wasActive: true },
      { id: three, status: 'inactive', reason: null, wasActive: false },
    ]);
    expect(await ana.call('POST', `/api/client-services/${one}/activation`)).toMatchObject({
      body: { status: 'active' },
    });
    const path = `/api/certificates/${certificate.certificateId}/client-services/activation`;
    const several = await ana.call('POST', path, { ids: [two, three, 'unknown'] });
    expect(several.body).toMatchObject({
      results: [
        { id: two, status: 'active', problem: null },
        { id: three, status: 'active', problem: null },
        { id: 'unknown', status: null, problem: { code: 'not_found' } },
      ],
    });
    const { rows: lifted } = await backoffice.database.query(
      'select x.lifted_by from suspensions as x where x.grant_id = $1',
      [first],
    );
    const by = { lifted_by: backoffice.operatorId('ana') };
    expect(lifted).toEqual([by, by]);
    const { rows: published } = await backoffice.database.query<{ type: string }>(
      `select o.payload ->> 'type' as type from outbox as o
       where o.destination = 'kafka' and o.subject = $1 order by o.outbox_id`,
      [certificate.certificateId],
    );
    expect(published.map(({ type }) => type)).toEqual([
      ...['granted', 'lapsed', 'suspended', 'suspended', 'granted'],
      ...['activated', 'activated', 'activated'],
    ]);
  });

  it('cannot be activated before the first grant, nor by viewers or strangers', async () => {
    const certificate = await backoffice.newCertificate({ services: 1 });
    const path = `/api/client-services/${certificate.serviceIds[0] ?? ''}/activation`;
    expect(await ana.call('POST', path)).toMatchObject({ body: { reason: 'never_granted' } });
    const vera = await backoffice.signedIn('vera');
    expect(await vera.call('POST', path)).toMatchObject({ body: { code: 'role_required' } });
    const stranger = await backoffice.signedIn('stranger');
    expect(await stranger.call('POST', path)).toMatchObject({ body: { code: 'not_found' } });
  });

  it('a used-up allowance blocks and suspends like an expiry', async () => {
    const certificate = await backoffice.newCertificate({
      factors: [],
      services: 1,
      multisign: 100,
    });
    const grantId = await obtainGrant(backoffice, ana, certificate);
    const use = (used: number) =>
      backoffice.database.query('update usage_counters set used = $2 where grant_id = $1', [
        grantId,
        used,
      ]);
    await use(91);
    expect((await detail(certificate)).access).toMatchObject({
      standing: 'warned',
      warnings: ['usage'],
      usagePercent: 91,
      bindingLimit: 'ca',
    });
    await use(100);
    expect((await detail(certificate)).access).toMatchObject({
      standing: 'lapsed',
      reason: 'allowance_exhausted',
      remaining: 0,
      forecast: null,
    });
    await obtainGrant(backoffice, ana, certificate);
    const after = await detail(certificate);
    expect(after.access).toMatchObject({ standing: 'in_force', used: 0 });
    expect(after.clientServices).toMatchObject([
      { status: 'suspended', reason: 'allowance_exhausted' },
    ]);
  });
});

describe('the emergency stop', () => {
  it('ends the grant and suspends at once; a renewal afterwards gives a new one', async () => {
    const alda = await backoffice.signedIn('alda');
    const certificate = await backoffice.newCertificate({ factors: [], services: 1 });
    const path = `/api/certificates/${certificate.certificateId}/revocation`;
    const body = { reason: 'The key may be known.' };
    expect(await alda.call('POST', path, body)).toMatchObject({ body: { code: 'no_grant' } });
    const grantId = await obtainGrant(backoffice, ana, certificate);
    expect(await ana.call('POST', path, body)).toMatchObject({ body: { code: 'role_required' } });
    expect(await alda.call('POST', path, body)).toMatchObject({
      status: 200,
      body: { grantId, reason: 'revoked', suspendedServiceCount: 1 },
    });
    const stopped = await detail(certificate);
    expect(stopped.access).toMatchObject({ standing: 'lapsed', reason: 'revoked' });
    expect(stopped.clientServices).toMatchObject([{ status: 'suspended', reason: 'revoked' }]);
    const { rows } = await backoffice.database.query<{ due: boolean }>(
      'select g.revoke_at <= $2 as due from access_grants as g where g.grant_id = $1',
      [grantId, backoffice.clock.now()],
    );
    expect(rows).toEqual([{ due: true }]);
    expect((await alda.call('POST', path, body)).status).toBe(200);
    await obtainGrant(backoffice, ana, certificate);
    expect((await detail(certificate)).access).toMatchObject({ standing: 'in_force' });
  });
});

describe('renewals', () => {
  it('are listed while open, for whoever sees the certificate', async () => {
    const certificate = await backoffice.newCertificate();
    const id = await goToCaAndBack(ana, certificate);
    const vera = await backoffice.signedIn('vera');
    const { items } = (await vera.call('GET', '/api/renewals')).body as { items: object[] };
    expect(items).toContainEqual(
      expect.objectContaining({ id, state: 'awaiting_code', isYours: false }),
    );
    const granted = (await vera.call('GET', '/api/renewals?state=granted')).body as {
      items: { state: string }[];
    };
    expect(new Set(granted.items.map(({ state }) => state))).toEqual(new Set(['granted']));
  });

  it('name their certificate and account, alone, in the list and on the page of the certificate', async () => {
    const certificate = await backoffice.newCertificate();
    const id = await goToCaAndBack(ana, certificate);
    const { alias, openRenewal } = (
      await ana.call('GET', `/api/certificates/${certificate.certificateId}`)
    ).body as { alias: string; openRenewal: object };
    const names = {
      id,
      certificateId: certificate.certificateId,
      certificate: { id: certificate.certificateId, alias },
      account: { id: backoffice.accountId, name: 'Loja Azul', timeZone: 'Europe/Lisbon' },
    };
    expect(openRenewal).toMatchObject(names);
    expect((await ana.renewal(id)).body).toMatchObject(names);
    const { items } = (await ana.call('GET', '/api/renewals')).body as { items: { id: string }[] };
    // Newest first.
    expect(items[0]).toMatchObject(names);
  });

  it("lead to the execution in Temporal's UI only for administrators", async () => {
    const certificate = await backoffice.newCertificate();
    await goToCaAndBack(ana, certificate);
    const alda = await backoffice.signedIn('alda');
    const seenBy = async (driver: OperatorDriver) =>
      (
        (await driver.call('GET', `/api/certificates/${certificate.certificateId}`)).body as {
          workflowUrl: string | null;
        }
      ).workflowUrl;
    expect(await seenBy(alda)).toMatch(/\/workflows\/access-grant%2F[\w-]+$/);
    expect(await seenBy(ana)).toBeNull();
    expect(await seenBy(await backoffice.signedIn('vera'))).toBeNull();
  });
});

describe('the API', () => {
  it('is described, and beside what tells of the process', async () => {
    const document = (await (await fetch(`${backoffice.url}/openapi.json`)).json()) as {
      openapi: string;
      paths: Record<string, object>;
    };
    expect(document.openapi).toBe('3.1.0');
    expect(Object.keys(document.paths)).toEqual(
      expect.arrayContaining(['/api/session', '/api/renewals/{id}/authorization', '/ca/callback']),
    );
    expect((await fetch(`${backoffice.url}/readyz`)).status).toBe(200);
    expect(await (await fetch(`${backoffice.url}/metrics`)).text()).toContain(
      'route="/api/certificates/:id"',
    );
  });
});
