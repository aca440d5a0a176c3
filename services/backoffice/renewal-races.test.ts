import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import {
  goToCaAndBack,
  obtainGrant,
  startTestBackoffice,
  typedFactors,
  type TestBackoffice,
  type TestCertificate,
} from '../../test/support/backoffice.ts';
import { createConsequences } from '../../infra/postgres/consequences.ts';
import type { OperatorDriver } from '../stack/operator-driver.ts';

let backoffice: TestBackoffice;
let ana: OperatorDriver;
let rui: OperatorDriver;
const rounds = Array.from({ length: 8 }, (_, round) => round + 1);

beforeAll(async () => {
  backoffice = await startTestBackoffice();
  ana = await backoffice.signedIn('ana');
  rui = await backoffice.signedIn('rui');
});
afterAll(() => backoffice.close());

const codeOf = ({ body }: { body: unknown }) => (body as { code?: string }).code;
const count = async (sql: string, certificate: TestCertificate) => {
  const { rows } = await backoffice.database.query<{ count: number }>(
    `select count(*) from ${sql}`,
    [certificate.certificateId],
  );
  return rows[0]?.count;
};

/** Holds the certificate's lock, as a slow transaction of another process would, until it is let go. */
async function holdLock({ certificateId }: TestCertificate): Promise<() => Promise<void>> {
  const client = new pg.Client({ connectionString: backoffice.databaseUrl });
  await client.connect();
  await client.query('begin');
  await client.query(
    'select 1 from certificates as c where c.certificate_id = $1 for no key update',
    [certificateId],
  );
  return async () => {
    await client.query('commit');
    await client.end();
  };
}

/** Until a statement of the backoffice waits for a lock. */
async function untilSomebodyWaits(): Promise<void> {
  const deadline = Date.now() + 5_000;
  for (;;) {
    const { rows } = await backoffice.database.query(
      `select 1 from pg_stat_activity as a
       where a.datname = current_database() and a.wait_event_type = 'Lock'`,
    );
    if (rows.length > 0) return;
    if (Date.now() > deadline) throw new Error('nobody waits for a lock');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

describe('two at once', () => {
  it.each(rounds)('two operators renew: one does, the other hears of it (%d)', async () => {
    const certificate = await backoffice.newCertificate();
    const answers = await Promise.all(
      [ana, rui].map((driver) => driver.openRenewal(certificate.certificateId)),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409]);
    expect(answers.map(codeOf)).toContain('renewal_already_open');
    expect(await count('renewals as r where r.certificate_id = $1', certificate)).toBe(1);
  });

  it('one operator renews in many tabs: one renewal is open', async () => {
    const certificate = await backoffice.newCertificate();
    const answers = await Promise.all(rounds.map(() => ana.openRenewal(certificate.certificateId)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]));
    const open = 'renewals as r where r.certificate_id = $1 and r.ended_at is null';
    expect(await count(open, certificate)).toBe(1);
  });

  it.each(rounds)('a double click asks the CA once (%d)', async () => {
    const certificate = await backoffice.newCertificate();
    const id = await goToCaAndBack(ana, certificate);
    const factors = await typedFactors(backoffice, certificate);
    const answers = await Promise.all([ana.authorize(id, factors), ana.authorize(id, factors)]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
    expect(await backoffice.caCalls(certificate.credentialId, 'credentials/authorize')).toBe(1);
  });

  it.each(rounds)('take-over against authorization: one of them has it (%d)', async () => {
    const certificate = await backoffice.newCertificate();
    const id = await goToCaAndBack(ana, certificate);
    const factors = await typedFactors(backoffice, certificate);
    const [authorized, takenOver] = await Promise.all([
      ana.authorize(id, factors),
      rui.openRenewal(certificate.certificateId, { takeOver: true }),
    ]);
    const { state, outcome } = (await ana.renewal(id)).body as {
      state: string;
      outcome: { code: string };
    };
    const asked = await backoffice.caCalls(certificate.credentialId, 'credentials/authorize');
    const grants = await count('access_grants as g where g.certificate_id = $1', certificate);
    if (authorized.status === 200) {
      expect({ state, asked, grants }).toEqual({ state: 'granted', asked: 1, grants: 1 });
      // Either while the CA was asked, or when all was done.
      expect([undefined, 'renewal_authorizing']).toContain(codeOf(takenOver));
    } else {
      expect(codeOf(authorized)).toBe('renewal_ended');
      expect(outcome.code).toBe('taken_over');
      expect({ asked, grants, status: takenOver.status }).toEqual({
        asked: 0,
        grants: 0,
        status: 201,
      });
    }
  });

  it('a take-over that waited for the claim finds it', async () => {
    const certificate = await backoffice.newCertificate();
    const id = await goToCaAndBack(ana, certificate);
    const faults = [{ method: 'credentials/authorize', delayMs: 400, times: 1 }];
    await backoffice.switchCa(certificate.credentialId, { faults });
    const letGo = await holdLock(certificate);
    const authorizing = typedFactors(backoffice, certificate).then((factors) =>
      ana.authorize(id, factors),
    );
    await untilSomebodyWaits();
    const takingOver = rui.openRenewal(certificate.certificateId, { takeOver: true });
    await letGo();
    expect(codeOf(await takingOver)).toBe('renewal_authorizing');
    expect((await authorizing).status).toBe(200);
  });
});

describe('against the expiry', () => {
  it('an activation that waited for the lock is judged by the time it got it', async () => {
    const certificate = await backoffice.newCertificate({ factors: [], services: 1 });
    await obtainGrant(backoffice, ana, certificate, { lifetimeSeconds: 60 });
    const [service = ''] = certificate.serviceIds;
    await ana.call('POST', `/api/client-services/${service}/deactivation`);
    const letGo = await holdLock(certificate);
    const activating = ana.call('POST', `/api/client-services/${service}/activation`);
    await untilSomebodyWaits();
    backoffice.clock.advance(60);
    await letGo();
    expect(await activating).toMatchObject({
      status: 409,
      body: { code: 'access_blocked', reason: 'grant_expired' },
    });
  });

  it.each(rounds)('activation and suspension leave no active service (%d)', async () => {
    const certificate = await backoffice.newCertificate({ factors: [], services: 2 });
    const grantId = await obtainGrant(backoffice, ana, certificate, { lifetimeSeconds: 60 });
    backoffice.clock.advance(60);
    const consequences = createConsequences(backoffice.storeAs('worker'));
    const [, answer] = await Promise.all([
      consequences.suspendClientServices(grantId),
      ana.call('POST', `/api/client-services/${certificate.serviceIds[0] ?? ''}/activation`),
    ]);
    expect(answer.status).toBe(409);
    const active = `client_services as s where s.certificate_id = $1 and s.status = 'active'`;
    expect(await count(active, certificate)).toBe(0);
  });

  it.each(rounds)('renewal and suspension suspend each service once (%d)', async () => {
    const certificate = await backoffice.newCertificate({ factors: ['pin'], services: 2 });
    const first = await obtainGrant(backoffice, ana, certificate, { lifetimeSeconds: 60 });
    const id = await goToCaAndBack(ana, certificate);
    backoffice.clock.advance(60);
    const consequences = createConsequences(backoffice.storeAs('worker'));
    const [answer] = await Promise.all([
      ana.authorize(id, { pin: '1234' }),
      consequences.suspendClientServices(first),
      consequences.suspendClientServices(first),
    ]);
    expect(answer.status).toBe(200);
    const suspended = `suspensions as x join client_services as s using (client_service_id)
      where s.certificate_id = $1 and s.status = 'suspended' and x.lifted_at is null`;
    expect(await count(suspended, certificate)).toBe(2);
    const { body } = await ana.call('GET', `/api/certificates/${certificate.certificateId}`);
    expect(body).toMatchObject({ access: { standing: 'in_force', grantId: id } });
  });

  it('two renewals within one second leave one grant in force and none overlapping', async () => {
    const certificate = await backoffice.newCertificate({ factors: [] });
    for (let times = 0; times < 4; times += 1) await obtainGrant(backoffice, ana, certificate);
    const latest = 'access_grants as g where g.certificate_id = $1 and g.successor_id is null';
    expect(await count(latest, certificate)).toBe(1);
    expect(await count('access_grants as g where g.certificate_id = $1', certificate)).toBe(4);
  });
});
