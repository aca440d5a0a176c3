import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Problem } from '../../domain/errors.ts';
import { buildCaClient, failureOf, signInAtCa } from '../../infra/ca/ca-testing.ts';
import {
  developmentClientSecret,
  startSimulator,
  type RunningSimulator,
} from '../../infra/ca/csc-simulator/server.ts';
import { setSwitches, simulatorState } from '../../infra/ca/csc-simulator/testing.ts';
import { mailboxReader } from '../../infra/mail/testing/support.ts';
import { hashSecret } from '../../infra/postgres/sealing.ts';
import { activate } from '../../services/gate/activation.ts';
import { createCaClients } from '../../services/shared/ca-clients.ts';
import { createCaRevoker } from '../../services/worker/ca-revoker.ts';
import type { World, WorldCertificate } from '../support/access-world.ts';
import { startTimeline, type Timeline } from '../support/grant-timeline.ts';

/** Days by the clock of the tests, on real workflows, activities, SMTP and CA. */

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;
const days = (count: number) => count * 86_400;

let timeline: Timeline;
let simulator: RunningSimulator;
const impatient = { callMs: 2_000, readTotalMs: 3_000, firstRetryMs: 1 };

beforeAll(async () => {
  simulator = await startSimulator({ port: 0 });
  timeline = await startTimeline({}, ({ database, sealer }: World) =>
    createCaRevoker(database, createCaClients(sealer, impatient)),
  );
  const { database, sealer } = timeline.world;
  const { rows } = await database.query<{ authority_id: string }>(
    'select a.authority_id from certificate_authorities as a',
  );
  const authorityId = rows[0]!.authority_id;
  await database.query(
    `update certificate_authorities set base_uri = $2, client_id = 'certificate-access', sealed_client_secret = $3
     where authority_id = $1`,
    [
      ...[authorityId, `${simulator.url}/csc/v1`],
      sealer.seal(developmentClientSecret, authorityId),
    ],
  );
});
afterAll(async () => {
  await timeline.close();
  await simulator.close();
});

/** The next time that it is this hour in UTC. */
const passToHour = (hour: number): Promise<void> =>
  timeline.passUntil(new Date(Math.ceil(timeline.now().getTime() / dayMs) * dayMs + hour * hourMs));

async function obtain(
  certificate: WorldCertificate,
  terms: Parameters<World['obtain']>[1],
): Promise<string> {
  const grantId = await timeline.world.obtain(certificate, terms);
  await timeline.deliverSignals();
  return grantId;
}

/** Subjects of the mails that truly arrived at an operator, oldest first. */
async function arrived({ accountId }: WorldCertificate, operator: string): Promise<string[]> {
  const address = `${operator}.${accountId}@example.test`;
  const { messages } = await mailboxReader(timeline.mailbox.url).search(`to:${address}`);
  return messages.map(({ Subject }) => Subject).reverse();
}

/** In force, its services as they were, and nobody ended it. */
async function expectUnharmed(certificate: WorldCertificate, grantId: string): Promise<void> {
  const { world } = timeline;
  expect(await world.serviceStatuses(certificate)).toEqual(['active', 'active', 'inactive']);
  const { rows } = await world.database.query(
    `select g.ended_at, g.services_suspended_at, g.successor_id, g.lapse_reason from access_grants as g where g.grant_id = $1`,
    [grantId],
  );
  expect(rows).toEqual([
    { ended_at: null, services_suspended_at: null, successor_id: null, lapse_reason: null },
  ]);
  const { status } = await timeline.handle(grantId).describe();
  expect(status.name).toBe('RUNNING');
}

describe('A day without the mail server', () => {
  it('suspends nothing, and when it is back every operator gets one mail, with what is true by then', async () => {
    const { world, mailbox } = timeline;
    const certificate = await world.addCertificate(['ana', 'rui']);
    await passToHour(12);
    const grantId = await obtain(certificate, { expiresInSeconds: days(5) });
    await timeline.pass(hourMs);
    for (const operator of ['ana', 'rui']) {
      expect(await arrived(certificate, operator)).toEqual([
        expect.stringMatching(/ 5 days left$/),
      ]);
    }

    // Away at nine in Lisbon of two days: two mails that cannot be sent.
    await passToHour(7);
    const relay = mailboxReader(mailbox.url);
    await relay.setSwitches({ failAll: true });
    await timeline.pass(28 * hourMs);
    await expectUnharmed(certificate, grantId);
    expect(await arrived(certificate, 'ana')).toHaveLength(1);

    await relay.setSwitches({});
    await timeline.pass(hourMs + 5 * minuteMs);
    for (const operator of ['ana', 'rui']) {
      expect(await arrived(certificate, operator)).toEqual([
        expect.stringMatching(/ 5 days left$/),
        expect.stringMatching(/ 3 days left$/),
      ]);
    }
    await expectUnharmed(certificate, grantId);
    await timeline.handle(grantId).terminate('end of the test');
  });
});

describe('A day without the CA', () => {
  /** How often the CA was asked for something. */
  const callsOf = async (asked: string): Promise<number> =>
    (await simulatorState(simulator.url)).calls.filter(({ method }) => method === asked).length;
  /** Grants that are over and were to be revoked at the CA by now. */
  const owed = async ({ certificateId }: WorldCertificate): Promise<string[]> => {
    const { rows } = await timeline.world.database.query<{ grant_id: string }>(
      'select g.grant_id from access_grants as g where g.certificate_id = $1 and g.revoke_at <= $2 and g.revoked_at_ca_at is null',
      [certificateId, timeline.now()],
    );
    return rows.map((row) => row.grant_id);
  };

  it('suspends and ends nothing: refreshes that fail leave the grant as it is, and what waits is done when it is back', async () => {
    const { world } = timeline;
    const certificate = await world.addCertificate(['ana']);
    await passToHour(12);
    const consent = async () => {
      const { accessToken, refreshToken } = await signInAtCa(buildCaClient(simulator.url));
      return { accessToken, refreshToken: refreshToken! };
    };
    const oldTokens = await consent();
    const old = await obtain(certificate, { ...oldTokens, sad: 'of-the-old-grant' });
    const tokens = await consent();
    const grantId = await obtain(certificate, { ...tokens, sad: 'of-the-new-grant' });

    const { sealer } = world;
    const store = world.storeAs('gate');
    const caClients = createCaClients(sealer, impatient);
    const { certificateId, accountId } = certificate;
    const caller = { apiKeyId: 'signer', accountId, keyHash: hashSecret('secret of the signer') };
    await world.database.query(
      `insert into api_keys (api_key_id, account_id, name, key_hash, created_at) values ($1, $2, 'Signer', $3, now())`,
      [caller.apiKeyId, accountId, caller.keyHash],
    );
    const ask = () =>
      activate({ store, sealer, caClients }, { certificateId, clientService: 'Invoices', caller });
    const whyNot = () =>
      ask().then(
        () => 'handed out',
        (error: unknown) => (error instanceof Problem ? error.code : error),
      );

    // It knows the CA: what fails from now on is the refresh itself.
    expect(await whyNot()).toBe('handed out');
    const refreshes = await callsOf('oauth2/token');

    // Before the ten minutes after which what is over is revoked. The CA is away in every way that there is.
    const answers = [{ close: true }, { status: 503 }, { status: 500, body: 'oops' }];
    const away = (hour: number) =>
      setSwitches(simulator.url, { faults: [{ method: '*', ...answers[hour % answers.length] }] });
    await away(0);
    const heard: unknown[] = [];
    for (let hour = 0; hour < 24; hour += 1) {
      await timeline.pass(hourMs);
      await away(hour);
      heard.push(await whyNot());
    }
    expect(heard).toEqual(Array(24).fill('ca_unreachable'));
    await expectUnharmed(certificate, grantId);
    expect(await owed(certificate)).toEqual([old]);
    expect(await callsOf('oauth2/revoke')).toBe(0);
    expect(await callsOf('oauth2/token')).toBeGreaterThanOrEqual(refreshes + heard.length);

    await setSwitches(simulator.url, { reset: true });
    const activation = await ask();
    expect(activation).toMatchObject({ grantId, sad: 'of-the-new-grant' });
    expect(activation.accessToken).not.toBe(tokens.accessToken);
    await timeline.pass(hourMs + 5 * minuteMs);
    // The SAD, the access token and the refresh token of the old grant, once each.
    expect(await callsOf('oauth2/revoke')).toBe(3);
    expect(await owed(certificate)).toEqual([]);
    const { kind } = await failureOf(
      buildCaClient(simulator.url).refreshTokens(oldTokens.refreshToken),
    );
    expect(kind).toBe('reauthorize');
    await expectUnharmed(certificate, grantId);
    expect(await arrived(certificate, 'ana')).toEqual([]);
    await timeline.handle(grantId).terminate('end of the test');
  });
});
