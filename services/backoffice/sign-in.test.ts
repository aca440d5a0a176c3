import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { budgets, mostFailuresInARow } from '../../domain/door-budgets.ts';
import { waitUntil } from '../../infra/development/wait-until.ts';
import { inTransaction } from '../../infra/postgres/pool.ts';
import {
  operatorPassword,
  startTestBackoffice,
  type OperatorName,
  type TestBackoffice,
} from '../../test/support/backoffice.ts';
import { createVisitor, newNetwork, type Visitor } from '../../test/support/visitor.ts';
import type { Answer } from '../stack/browser.ts';
import { expectAnswer } from '../stack/operator-driver.ts';

let backoffice: TestBackoffice;

beforeAll(async () => {
  backoffice = await startTestBackoffice({}, undefined, { trustedProxies: 1 });
});
afterAll(() => backoffice.close());
beforeEach(async () => {
  await backoffice.database.query('delete from door_budgets');
  await backoffice.database.query('update operators set failed_sign_ins = 0');
});

const addressOf = (name: OperatorName) => `${name}@loja.example`;
const visitor = (network = newNetwork()) => createVisitor(backoffice.url, network);
const codeOf = ({ status, body }: Answer) => ({ status, code: (body as { code?: string }).code });
const refused = { status: 401, code: 'sign_in_refused' };
const throttled = { status: 429, code: 'too_many_requests' };
/** All that an answer says but which request it was, and how long to wait, which the clock changes. */
const shapeOf = ({ status, body, headers }: Answer) => ({
  status,
  body: { ...(body as object), instance: undefined, retryAfterSeconds: undefined },
  headers: [...headers.keys()].sort(),
});
const wrong = (email: string, who: Visitor = visitor()) => who.signIn(email, 'not the password');
const right = (name: OperatorName, who: Visitor) => who.signIn(addressOf(name), operatorPassword);

/** A browser in which the operator has signed in before, wherever that was. */
async function knownBrowser(name: OperatorName, network?: string): Promise<Visitor> {
  const known = visitor(network);
  expectAnswer(await right(name, known), 200);
  return known;
}
/** So many at once, each by somebody else; all are refused. */
async function refuseAll(count: number, attempt: (index: number) => Promise<Answer>) {
  for (let from = 0; from < count; from += 25) {
    const some = Array.from({ length: Math.min(25, count - from) }, (_, index) => from + index);
    const codes = (await Promise.all(some.map(attempt))).map(codeOf);
    expect(codes).toEqual(some.map(() => refused));
  }
}
/** Strangers from everywhere, until they are sent away. */
async function attack(email: string): Promise<void> {
  await refuseAll(budgets.unknownBrowsers.atOnce, () => wrong(email));
  expect(codeOf(await wrong(email))).toEqual(throttled);
}
async function auditOf(name: OperatorName | 'unknown', action: string) {
  const id = name === 'unknown' ? name : backoffice.operatorId(name);
  const { rows } = await backoffice.database.query<{ actor: string; details: object }>(
    'select e.actor, e.details from audit_events as e where e.subject = $1 and e.action = $2 order by e.event_id',
    [`operator:${id}`, action],
  );
  return rows;
}
const failuresOf = async (name: OperatorName): Promise<number | undefined> => {
  const { rows } = await backoffice.database.query<{ failed_sign_ins: number }>(
    'select o.failed_sign_ins from operators as o where o.operator_id = $1',
    [backoffice.operatorId(name)],
  );
  return rows[0]?.failed_sign_ins;
};

describe('strangers who try passwords', () => {
  it('for one address are sent away after ten, wherever they come from, and have one more in six minutes', async () => {
    await attack(addressOf('ana'));
    backoffice.clock.advance(budgets.unknownBrowsers.secondsEach - 30);
    const early = await wrong(addressOf('ana'));
    expect(codeOf(early)).toEqual(throttled);
    const { retryAfterSeconds } = early.body as { retryAfterSeconds: number };
    expect(early.headers.get('retry-after')).toBe(String(retryAfterSeconds));
    expect(retryAfterSeconds).toBeLessThanOrEqual(30);
    backoffice.clock.advance(retryAfterSeconds);
    expect(codeOf(await wrong(addressOf('ana')))).toEqual(refused);
    expect(codeOf(await wrong(addressOf('ana')))).toEqual(throttled);
  });

  it('however they write the address', async () => {
    const spellings = ['ANA@loja.example', ' ana@LOJA.example ', addressOf('ana')];
    await refuseAll(budgets.unknownBrowsers.atOnce, (index) =>
      wrong(spellings[index % spellings.length] ?? ''),
    );
    for (const spelling of spellings) expect(codeOf(await wrong(spelling))).toEqual(throttled);
  });

  it('all at the same moment have no more tries for that', async () => {
    const crowd = Array.from({ length: 25 }, () => wrong(addressOf('rui')));
    const codes = (await Promise.all(crowd)).map((answer) => codeOf(answer).code);
    const count = (code: string) => codes.filter((one) => one === code).length;
    expect(count('sign_in_refused')).toBe(budgets.unknownBrowsers.atOnce);
    expect(count('too_many_requests')).toBe(25 - budgets.unknownBrowsers.atOnce);
  });

  it('learn nothing of who has a sign-in: same answers, and none sooner', async () => {
    const known = addressOf('vera');
    const unknown = 'nobody-at-all@loja.example';
    const timed = async (email: string) => {
      const startedAt = performance.now();
      const answer = await wrong(email);
      return { answer, ms: performance.now() - startedAt };
    };
    const pairs = await Promise.all(
      Array.from({ length: budgets.unknownBrowsers.atOnce }, () =>
        Promise.all([timed(known), timed(unknown)]),
      ),
    );
    for (const [ofKnown, ofUnknown] of pairs) {
      expect(codeOf(ofKnown.answer)).toEqual(refused);
      expect(shapeOf(ofKnown.answer)).toEqual(shapeOf(ofUnknown.answer));
      // Timers may be a little early.
      expect(Math.min(ofKnown.ms, ofUnknown.ms)).toBeGreaterThan(295);
    }
    const [ofKnown, ofUnknown] = await Promise.all([wrong(known), wrong(unknown)]);
    expect(codeOf(ofKnown)).toEqual(throttled);
    expect(shapeOf(ofKnown)).toEqual(shapeOf(ofUnknown));
    expect(ofKnown.headers.has('retry-after')).toBe(true);
  });

  it('from one network are sent away after fifty, whomever they try; others are not', async () => {
    const network = newNetwork();
    const { atOnce, secondsEach } = budgets.network;
    await refuseAll(atOnce, (index) => wrong(`person-${index}@loja.example`, visitor(network)));
    expect(codeOf(await wrong('one-more@loja.example', visitor(network)))).toEqual(throttled);
    expect(codeOf(await right('ana', visitor(network)))).toEqual(throttled);
    expect(codeOf(await wrong('one-more@loja.example'))).toEqual(refused);
    // What the network could not pay for, nobody else has paid for either.
    expect(codeOf(await wrong('one-more@loja.example', visitor(network)))).toEqual(throttled);
    backoffice.clock.advance(secondsEach);
    expect(codeOf(await wrong('one-more@loja.example', visitor(network)))).toEqual(refused);
  });

  it('cannot say that they come from another network, nor have more of them by IPv6', async () => {
    const network = newNetwork();
    await wrong('somebody@loja.example', visitor(`203.0.113.1, ${network}`));
    await wrong('somebody@loja.example', visitor(`203.0.113.2, ${network}`));
    await wrong('somebody@loja.example', visitor('2001:db8:1:2::1'));
    await wrong('somebody@loja.example', visitor('2001:db8:1:2:ffff::1'));
    const { rows } = await backoffice.database.query('select from door_budgets');
    // Two networks and one address.
    expect(rows).toHaveLength(3);
  });

  it('win no tries by a sign-in of their own', async () => {
    const own = newNetwork();
    const half = budgets.network.atOnce / 2;
    for (const round of [1, 2]) {
      // From a browser that is not known, as if cookies were thrown away.
      expectAnswer(await right('stranger', visitor(own)), 200);
      await refuseAll(half, (index) =>
        wrong(`person-${round}-${index}@loja.example`, visitor(own)),
      );
    }
    expect(codeOf(await wrong('one-more@loja.example', visitor(own)))).toEqual(throttled);
  });
});

describe('the rightful operator', () => {
  it('signs in from a known browser whatever strangers do, also beside them', async () => {
    const network = newNetwork();
    const known = await knownBrowser('ana', network);
    await attack(addressOf('ana'));
    await backoffice.database.query(`update door_budgets set free_at = free_at + interval '1 day'`);
    for (let count = 0; count < budgets.network.atOnce; count += 1) {
      await wrong(`person-${count}@loja.example`, visitor(network));
    }
    expect(codeOf(await right('ana', visitor(network)))).toEqual(throttled);
    expectAnswer(await right('ana', known), 200);
  });

  it('signs in any number of times, also with browsers that are not known', async () => {
    const network = newNetwork();
    for (let count = 0; count <= budgets.network.atOnce; count += 1) {
      expectAnswer(await right('rui', visitor(network)), 200);
    }
  });

  it('has ten tries of his own in a known browser, and all of them again after a right one', async () => {
    const known = await knownBrowser('vera');
    const { atOnce, secondsEach } = budgets.knownBrowser;
    await refuseAll(atOnce - 1, () => wrong(addressOf('vera'), known));
    expectAnswer(await right('vera', known), 200);
    await refuseAll(atOnce, () => wrong(addressOf('vera'), known));
    expect(codeOf(await right('vera', known))).toEqual(throttled);
    backoffice.clock.advance(secondsEach);
    expectAnswer(await right('vera', known), 200);
  });

  it('is known in a browser only as himself', async () => {
    const known = await knownBrowser('vera');
    await attack(addressOf('ana'));
    expect(codeOf(await right('ana', known))).toEqual(throttled);
  });

  it('is known in as many browsers as he uses, the last twenty, and not for ever', async () => {
    const first = await knownBrowser('rui');
    const second = await knownBrowser('rui');
    // Again and again in one browser takes no place from another.
    for (let count = 0; count < 20; count += 1) expectAnswer(await right('rui', second), 200);
    await attack(addressOf('rui'));
    expectAnswer(await right('rui', first), 200);
    const { rows } = await backoffice.database.query<{ known: number }>(
      'select count(*) as known from known_browsers as k where k.operator_id = $1',
      [backoffice.operatorId('rui')],
    );
    expect(rows[0]?.known).toBeLessThanOrEqual(20);
    await backoffice.database.query(
      `update known_browsers as k set last_used_at = $1 where k.operator_id = $2`,
      [new Date(backoffice.clock.now().getTime() - 180 * 86_400_000), backoffice.operatorId('rui')],
    );
    expect(codeOf(await right('rui', first))).toEqual(throttled);
  });
});

describe('after a hundred failures in a row from browsers that are not known', () => {
  const count = (failures: number) =>
    backoffice.database.query(
      'update operators as o set failed_sign_ins = $1 where o.operator_id = $2',
      [failures, backoffice.operatorId('ana')],
    );

  it('the right password opens nothing there, in the words for a wrong one, until it was right in a known browser', async () => {
    const known = await knownBrowser('ana');
    await count(mostFailuresInARow - 1);
    expect(codeOf(await wrong(addressOf('ana')))).toEqual(refused);
    expect(await failuresOf('ana')).toBe(mostFailuresInARow);
    const barred = await right('ana', visitor());
    expect(shapeOf(barred)).toEqual(shapeOf(await wrong('nobody@loja.example')));
    expectAnswer(await right('ana', known), 200);
    expect(await failuresOf('ana')).toBe(0);
    expectAnswer(await right('ana', visitor()), 200);
  });

  it('and not one less', async () => {
    await count(mostFailuresInARow - 1);
    expectAnswer(await right('ana', visitor()), 200);
    expect(await failuresOf('ana')).toBe(0);
  });
});

describe('a sign-in', () => {
  it('with a password that is replaced at that moment leaves no session', async () => {
    const known = await knownBrowser('ana');
    const { database } = backoffice;
    const operatorId = backoffice.operatorId('ana');
    const sessions = async () => {
      const { rows } = await database.query(
        'select from sessions as s where s.operator_id = $1 and s.ended_at is null',
        [operatorId],
      );
      return rows.length;
    };
    const before = await sessions();
    const { rows } = await database.query<{ password_hash: string }>(
      'select o.password_hash from operators as o where o.operator_id = $1',
      [operatorId],
    );
    const { answer } = await inTransaction(database, async (tx) => {
      await tx.query(
        `update operators as o set password_hash = 'another one' where o.operator_id = $1`,
        [operatorId],
      );
      const signingIn = right('ana', known);
      await waitUntil(
        async () => {
          const { rows: waiting } = await database.query(
            `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
          );
          return waiting.length > 0;
        },
        { what: 'the sign-in does not come as far as that', deadlineMs: 15_000, intervalMs: 20 },
      );
      // Not waited for here: it waits for this transaction.
      return { answer: signingIn };
    });
    expect(codeOf(await answer)).toEqual(refused);
    expect(await sessions()).toBe(before);
    await database.query('update operators as o set password_hash = $2 where o.operator_id = $1', [
      operatorId,
      rows[0]?.password_hash,
    ]);
  });

  it('of a crowd is put off rather than done at any price; nobody has paid for that, and who is known goes first', async () => {
    const known = await knownBrowser('vera');
    await backoffice.database.query('delete from door_budgets');
    const crowd = Array.from({ length: 120 }, (_, count) => wrong(`person-${count}@loja.example`));
    const mine = right('vera', known);
    expectAnswer(await mine, 200);
    const answers = await Promise.all(crowd);
    const busy = answers.filter(({ status }) => status === 503);
    expect(busy.length).toBeGreaterThan(0);
    for (const answer of busy) {
      expect(codeOf(answer).code).toBe('unavailable');
      expect(answer.headers.get('retry-after')).toBe('2');
    }
    const { rows } = await backoffice.database.query('select from door_budgets');
    const tried = answers.length - busy.length;
    // Each a network and an address; a few of those that found no room any more may have paid.
    expect(rows.length).toBeGreaterThanOrEqual(2 * tried);
    expect(rows.length).toBeLessThan(2 * answers.length);
  });
});

describe('what is written down', () => {
  it('of a refusal is whose it was and where, once each; of an address that is nobody’s nothing', async () => {
    const known = await knownBrowser('alda');
    await wrong(addressOf('alda'));
    await wrong(addressOf('alda'), known);
    expect(await auditOf('alda', 'sign_in_refused')).toEqual([
      { actor: 'process:backoffice', details: { browser: 'unknown', failuresInARow: 1 } },
      { actor: 'process:backoffice', details: { browser: 'known' } },
    ]);
    await wrong('canary-address@elsewhere.example');
    const { rows } = await backoffice.database.query<{ row: string }>(
      'select e::text as row from audit_events as e',
    );
    const everything = [...rows.map(({ row }) => row), ...backoffice.logged].join('\n');
    expect(everything).toContain('sign-in refused');
    expect(everything).not.toMatch(/canary-address|not the password/);
  });

  it('of tries that are used up is told once, and not with each that is sent away', async () => {
    await attack(addressOf('leaver'));
    await Promise.all(Array.from({ length: 5 }, () => wrong(addressOf('leaver'))));
    expect(await auditOf('leaver', 'tries_used_up')).toEqual([
      { actor: 'process:backoffice', details: { door: 'sign_in', budgets: ['unknownBrowsers'] } },
    ]);
    expect(await auditOf('leaver', 'sign_in_refused')).toHaveLength(10);
    await attack('nobody-has-this@loja.example');
    expect(await auditOf('unknown', 'tries_used_up')).toContainEqual({
      actor: 'process:backoffice',
      details: { door: 'sign_in', budgets: ['unknownBrowsers'] },
    });
    const warnings = backoffice.logged.filter((line) => line.includes('are used up'));
    expect(warnings.at(-1)).toMatch(/"network":"10\.[\d.]+"/);
  });

  it('is counted by outcome', async () => {
    const metrics = await (await fetch(`${backoffice.url}/metrics`)).text();
    for (const outcome of ['signed_in', 'refused', 'throttled', 'busy']) {
      expect(metrics).toMatch(
        new RegExp(`^sign_ins_total\\{.*outcome="${outcome}".*\\} [1-9]`, 'm'),
      );
    }
  });
});

describe('without a proxy of ours', () => {
  it('what X-Forwarded-For says is not believed, and told once', async () => {
    const direct = await startTestBackoffice();
    try {
      for (let count = 0; count < 3; count += 1) {
        await wrong('nobody@loja.example', createVisitor(direct.url, newNetwork()));
      }
      const { rows } = await direct.database.query('select from door_budgets');
      // One network, this machine, and one address.
      expect(rows).toHaveLength(2);
      expect(direct.logged.filter((line) => line.includes('TRUST_PROXY'))).toHaveLength(1);
    } finally {
      await direct.close();
    }
  });
});
