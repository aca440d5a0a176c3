/** @jest-environment <rootDir>/test/support/failure-environment.ts */
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { grantWorkflowId } from '../../domain/messages.ts';
import { expectAnswer, type OperatorDriver } from '../../services/stack/operator-driver.ts';
import {
  clientAccount,
  enterCertificate,
  type EnteredAccount,
  type EnteredCertificate,
} from '../support/entries.ts';
import {
  codeOnPhone,
  eventually,
  gateSays,
  opened,
  renewAccess,
  seenCertificate,
  seenRenewal,
  signedIn,
  statusesOf,
  workflowEnds,
} from '../support/from-outside.ts';
import { startSystem, type System } from '../support/system.ts';
import { startFront, type Front } from './front.ts';
import { hasReleaseBefore, layOutReleaseBefore } from './release-before.ts';
import {
  emailsOf,
  enterAccountAtNoon,
  impatient,
  recoveryMs,
  toldAbout,
  untilQuiet,
} from './single-fault.ts';

const isThere = hasReleaseBefore();
const name = isThere
  ? 'Two releases at once'
  : 'Two releases at once (SKIPPED: this clone does not hold the release before)';
if (!isThere) process.stderr.write(`${name}\n`);

/** Kept between runs: making it takes seconds. */
const bundleOfBefore = fileURLToPath(
  new URL('../../.local/workflow-bundle-of-the-release-before', import.meta.url),
);

type Release = 'before' | 'present';
type Way = { readonly opens: Release; readonly returns: Release; readonly authorizes: Release };

(isThere ? describe : describe.skip)(name, () => {
  let system: System;
  let account: EnteredAccount;
  let front: Front;
  let urls: Readonly<Record<Release, string>>;
  let operator: OperatorDriver;
  const closings: (() => unknown)[] = [];

  beforeAll(async () => {
    const codeIn = layOutReleaseBefore();
    front = await startFront();
    closings.unshift(() => {
      front.close();
    });
    // Both backoffices stand behind one address.
    const env = { ...impatient, PUBLIC_URL: front.url };
    system = await startSystem({ name: 'two-releases', env });
    closings.unshift(() => system.stop());
    // As the release before was run: it knows of no roles in the database.
    const DATABASE_URL = system.database.options.connectionString ?? '';
    const [backoffice] = await Promise.all([
      system.startBeside('backoffice', {
        ...{ name: 'backoffice-before', codeIn },
        env: { DATABASE_URL, PUBLIC_URL: front.url },
      }),
      system.startBeside('worker', {
        ...{ name: 'worker-before', codeIn },
        env: { DATABASE_URL, WORKFLOW_BUNDLE_DIR: bundleOfBefore },
      }),
    ]);
    urls = { before: backoffice.url, present: system.urls.backoffice };
    account = await enterAccountAtNoon(system);
    front.sendTo(urls.before);
    operator = await signedIn(system, account.operators.operator, front.url);
  }, 180_000);
  afterAll(async () => {
    for (const close of closings) await close();
  }, 60_000);

  /** The operator's one browser, before whichever backoffice the balancer chooses. */
  const at = (release: Release): OperatorDriver => {
    front.sendTo(urls[release]);
    return operator;
  };
  const asked = (certificate: EnteredCertificate) => ({
    certificate,
    apiKey: account.apiKey,
    clientService: 'Invoices',
  });

  async function renewOn(
    { opens, returns, authorizes }: Way,
    certificate: EnteredCertificate,
    terms: { readonly lifetimeSeconds?: number },
  ): Promise<string> {
    const { id, redirectTo } = opened(await at(opens).openRenewal(certificate.id));
    const callback = await at(opens).visitCa(redirectTo, { ...clientAccount, ...terms });
    expect((await at(returns).comeBack(callback)).status).toBe(303);
    expect((await seenRenewal(at(authorizes), id)).state).toBe('awaiting_code');
    const otp = await codeOnPhone(system, certificate);
    expectAnswer(await at(authorizes).authorize(id, { pin: certificate.pin, otp }), 200);
    return id;
  }

  /** Processes that did the steps of a grant's workflow. */
  async function workersOf(grantId: string): Promise<string[]> {
    const handle = system.temporal.workflow.getHandle(grantWorkflowId(grantId));
    const { events } = await handle.fetchHistory();
    return (events ?? []).flatMap(({ workflowTaskCompletedEventAttributes: completed }) =>
      completed?.identity == null ? [] : [completed.identity],
    );
  }

  it.each<Way>([
    { opens: 'before', returns: 'present', authorizes: 'before' },
    { opens: 'present', returns: 'before', authorizes: 'present' },
  ])(
    'a renewal opened at $opens returns to $returns and is authorised at $authorizes; the grant lives, lapses and is renewed again',
    async (way) => {
      const certificate = await enterCertificate(system, account, {
        inactiveServices: ['Archive'],
      });
      const other = way.opens === 'before' ? 'present' : 'before';
      const short = await renewOn(way, certificate, { lifetimeSeconds: 8 });
      await gateSays(system, asked(certificate), 'grant_expired', short);
      const lapsed = await eventually(
        'The services are not suspended',
        async () => {
          const seen = await seenCertificate(at(other), certificate);
          return statusesOf(seen)['Invoices'] === 'suspended' && seen;
        },
        recoveryMs,
      );
      expect(lapsed.access).toMatchObject({ standing: 'lapsed', reason: 'grant_expired' });
      await untilQuiet(system, [certificate]);
      expect(await toldAbout(system, certificate)).toEqual({
        lapse: emailsOf(account),
        others: emailsOf(account),
      });

      const next = await renewOn(
        { opens: other, returns: other, authorizes: way.opens },
        certificate,
        {},
      );
      await workflowEnds(system, short, 'superseded');
      const [service] = certificate.services;
      const activation = `/api/client-services/${service!.id}/activation`;
      expectAnswer(await at(way.opens).call('POST', activation), 200);
      await gateSays(system, asked(certificate), null, next);
      await untilQuiet(system, [certificate]);
      for (const release of ['before', 'present'] as const) {
        const seen = await seenCertificate(at(release), certificate);
        expect(seen.access).toMatchObject({ standing: 'in_force', grantId: next });
        expect(statusesOf(seen)).toEqual({ Archive: 'inactive', Invoices: 'active' });
      }
    },
    120_000,
  );

  it('the workers of both do steps, and neither release says that anything failed', async () => {
    const workers = new Set<string>();
    for (let grants = 0; workers.size < 2 && grants < 20; grants += 1) {
      const certificate = await enterCertificate(system, account);
      const { grantId } = await renewAccess(system, at('present'), certificate);
      await untilQuiet(system, [certificate]);
      for (const worker of await workersOf(grantId!)) workers.add(worker);
    }
    expect(workers.size).toBe(2);
    const said = Object.entries(await system.readLogs()).flatMap(([file, log]) =>
      log
        .split('\n')
        .filter((line) => /"level":(?:50|60|"error"|"fatal")/.test(line))
        .map((line) => `${file}: ${line}`),
    );
    expect(said).toEqual([]);
  }, 120_000);
});
