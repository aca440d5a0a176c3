import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { accessRefusal, mayActivate } from './client-service.ts';
import {
  allowanceToAsk,
  isAboveWarning,
  lapseReason,
  maySign,
  newGrant,
  standingOf,
  usagePercent,
} from './grant.ts';
import { regulationPolicy as policy } from './policy.ts';
import { buildGrant, grantedAt } from './testing.ts';

const second = 1000;
const after = (seconds: number) => new Date(grantedAt.getTime() + seconds * second);
const sixtyDays = 60 * 86_400;
const weekBefore = sixtyDays - 7 * 86_400;
const billion = 1_000_000_000;

describe('the standing of a certificate', () => {
  it('is "none" when it was never granted', () => {
    expect(standingOf(undefined, 0, grantedAt, policy)).toEqual({ kind: 'none' });
  });

  it.each([
    [after(0), 'in_force'],
    [after(weekBefore - 0.001), 'in_force'],
    [after(weekBefore), 'warned'],
    [after(sixtyDays - 0.001), 'warned'],
    [after(sixtyDays), 'lapsed'],
  ])('at %s a full grant is %s', (now, kind) => {
    expect(standingOf(buildGrant(), 0, now, policy).kind).toBe(kind);
  });

  it.each([
    [0, 'in_force'],
    [900_000_000, 'in_force'],
    [900_000_001, 'warned'],
    [999_999_999, 'warned'],
    [billion, 'lapsed'],
    [billion + 1, 'lapsed'],
  ])('with %s signatures used the grant is %s', (used, kind) => {
    expect(standingOf(buildGrant(), used, after(60), policy).kind).toBe(kind);
  });

  it('tells both warnings when both limits are near', () => {
    expect(standingOf(buildGrant(), 900_000_001, after(weekBefore), policy)).toEqual({
      kind: 'warned',
      warnings: ['time', 'usage'],
    });
  });

  it('tells the time limit first when both were reached', () => {
    expect(lapseReason(buildGrant(), billion, after(sixtyDays))).toBe('grant_expired');
  });

  it('names the certificate when its own end was the limit', () => {
    const grant = buildGrant({ endsWithCertificate: true });
    expect(lapseReason(grant, 0, grant.expiresAt)).toBe('certificate_ended');
  });

  it.each(['revoked', 'ended_by_ca'] as const)(
    'is lapsed from the instant it was %s',
    (endReason) => {
      const grant = buildGrant({ endReason, endedAt: after(100) });
      expect(lapseReason(grant, 0, after(99))).toBeUndefined();
      expect(lapseReason(grant, 0, after(100))).toBe(endReason);
    },
  );

  it('has a grant shorter than a week warned from its first second', () => {
    const grant = buildGrant({ expiresAt: after(180) });
    expect(standingOf(grant, 0, grantedAt, policy).kind).toBe('warned');
  });
});

describe('no sequence of facts lets a certificate sign past a limit', () => {
  const instants = fc.integer({ min: -10, max: 2 * sixtyDays }).map(after);
  const grants = fc
    .record({
      lastsSeconds: fc.integer({ min: 1, max: sixtyDays }),
      allowance: fc.integer({ min: 1, max: billion }),
      endsWithCertificate: fc.boolean(),
    })
    .map(({ lastsSeconds, ...rest }) => buildGrant({ expiresAt: after(lastsSeconds), ...rest }));

  it('whatever the grant, the count and the instant', () => {
    fc.assert(
      fc.property(grants, fc.nat({ max: 2 * billion }), instants, (grant, used, now) => {
        const allowed = maySign(standingOf(grant, used, now, policy));
        expect(allowed).toBe(now < grant.expiresAt && used < grant.allowance);
      }),
    );
  });

  it('and a service may be activated exactly when its certificate may sign', () => {
    fc.assert(
      fc.property(grants, fc.nat({ max: 2 * billion }), instants, (grant, used, now) => {
        const standing = standingOf(grant, used, now, policy);
        expect(mayActivate(standing)).toBe(accessRefusal(standing, undefined) === undefined);
      }),
    );
  });
});

describe('the gate', () => {
  const inForce = { kind: 'in_force' } as const;

  it('gives the reason of the certificate before the one of the service', () => {
    expect(accessRefusal({ kind: 'none' }, 'suspended')).toBe('never_granted');
    expect(accessRefusal({ kind: 'lapsed', reason: 'grant_expired' }, 'suspended')).toBe(
      'grant_expired',
    );
  });

  it.each([
    ['active', undefined],
    ['suspended', 'client_service_suspended'],
    ['inactive', 'client_service_inactive'],
    [undefined, undefined],
  ] as const)(
    'for a service that is %s answers %s while the grant is in force',
    (status, refusal) => {
      expect(accessRefusal(inForce, status)).toBe(refusal);
    },
  );
});

describe('the usage figures', () => {
  it.each([
    [9, 10, false],
    [10, 10, true],
    [90, 100, false],
    [91, 100, true],
    [0, 1, false],
    [1, 1, true],
  ])('%s of %s is above 90 %%: %s', (used, allowance, above) => {
    expect(isAboveWarning(used, allowance, policy)).toBe(above);
  });

  it('never show a limit that was not reached', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: billion }), fc.nat(), (allowance, seed) => {
        const used = seed % allowance;
        expect(usagePercent(used, allowance)).toBeLessThan(100);
        expect(usagePercent(allowance, allowance)).toBe(100);
      }),
    );
  });
});

describe('a new grant', () => {
  const terms = {
    calledAt: new Date(grantedAt.getTime() + 999),
    expiresInSeconds: sixtyDays,
    allowance: billion,
    certificateNotAfter: new Date('2030-01-01T00:00:00Z'),
  };

  it('lasts 60 days from the second in which the CA was called, rounded down', () => {
    expect(newGrant(terms, policy)).toEqual({
      effectiveAt: grantedAt,
      expiresAt: after(sixtyDays),
      allowance: billion,
      endsWithCertificate: false,
      bindingLimit: 'policy_time',
    });
  });

  it.each([
    [{ expiresInSeconds: sixtyDays + 1 }, sixtyDays, 'policy_time'],
    [{ expiresInSeconds: sixtyDays - 1 }, sixtyDays - 1, 'ca'],
    [{ expiresInSeconds: 180.9 }, 180, 'ca'],
    [{ allowance: billion - 1 }, sixtyDays, 'ca'],
    [{ certificateNotAfter: after(500) }, 500, 'certificate'],
    [{ certificateNotAfter: after(500), expiresInSeconds: 500 }, 500, 'ca'],
    [{ certificateNotAfter: after(sixtyDays) }, sixtyDays, 'policy_time'],
  ] as const)('with %j ends after %s s, bound by %s', (overrides, seconds, bindingLimit) => {
    const grant = newGrant({ ...terms, ...overrides }, policy);
    expect(grant?.expiresAt).toEqual(after(seconds));
    expect(grant?.bindingLimit).toBe(bindingLimit);
    expect(grant?.endsWithCertificate).toBe(bindingLimit === 'certificate');
  });

  it.each([{ expiresInSeconds: 0 }, { expiresInSeconds: 0.5 }, { certificateNotAfter: grantedAt }])(
    'is none when the CA or the certificate leaves nothing of it: %j',
    (overrides) => {
      expect(newGrant({ ...terms, ...overrides }, policy)).toBeUndefined();
    },
  );

  it('asks for the regulation’s number of signatures, or what the CA allows at once if that is less', () => {
    expect(allowanceToAsk(5_000_000_000, policy)).toBe(billion);
    expect(allowanceToAsk(billion, policy)).toBe(billion);
    expect(allowanceToAsk(10, policy)).toBe(10);
  });
});
