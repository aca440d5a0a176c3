import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { forecastOf } from './forecast.ts';
import { regulationPolicy } from './policy.ts';

const effectiveAt = new Date('2026-01-01T00:00:00Z');
const dayMs = 86_400_000;
const after = (days: number) => new Date(effectiveAt.getTime() + days * dayMs);
const grant = {
  effectiveAt,
  expiresAt: after(60),
  allowance: regulationPolicy.allowance,
  endsWithCertificate: false,
};
const forecast = (used: number, days: number, of: Partial<typeof grant> = {}) =>
  forecastOf({ ...grant, ...of }, used, after(days), regulationPolicy);

describe('which limit ends a grant first', () => {
  it('is time while nothing was signed', () => {
    expect(forecast(0, 3)).toEqual({
      endsAt: grant.expiresAt,
      bindingLimit: 'policy_time',
      usageLimitAt: undefined,
      signaturesPerDay: 0,
    });
  });

  it('is usage when the average reaches the allowance before the expiry', () => {
    expect(forecast(300_000_000, 3)).toEqual({
      endsAt: after(10),
      bindingLimit: 'policy_usage',
      usageLimitAt: after(10),
      signaturesPerDay: 100_000_000,
    });
  });

  it('is time when 90 % are used at the very end', () => {
    const { bindingLimit, endsAt } = forecast(901_000_000, 59.9);
    expect({ bindingLimit, endsAt }).toEqual({
      bindingLimit: 'policy_time',
      endsAt: grant.expiresAt,
    });
  });

  it.each([
    ['the CA, which gave fewer signatures', 50, { allowance: 100 }, 'ca'],
    ['the CA, which gave less time', 0, { expiresAt: after(45) }, 'ca'],
    ['the certificate', 0, { expiresAt: after(45), endsWithCertificate: true }, 'certificate'],
  ])('is that of %s', (_, used, of, limit) => {
    expect(forecast(used, 3, of).bindingLimit).toBe(limit);
  });

  it('is told at the very second of the grant', () => {
    expect(forecast(10, 0).signaturesPerDay).toBe(864_000);
  });

  it('never shows a limit as reached that is not', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1_000_000_000 }),
        fc.double({ min: 0, max: 0.999_999, noNaN: true }),
        fc.integer({ min: 0, max: 5_183_999 }),
        (allowance, share, seconds) => {
          const now = new Date(effectiveAt.getTime() + seconds * 1000);
          const used = Math.floor(share * allowance);
          const { endsAt, usageLimitAt } = forecastOf(
            { ...grant, allowance },
            used,
            now,
            regulationPolicy,
          );
          return endsAt > now && (usageLimitAt === undefined || usageLimitAt >= now);
        },
      ),
    );
  });
});

it('a limit that no RFC 3339 date can tell is never reached', () => {
  const usageLimitAfter = (seconds: number) => forecast(1, seconds / 86_400).usageLimitAt;
  expect(usageLimitAfter(251)?.toISOString()).toMatch(/^99\d\d-/);
  expect(usageLimitAfter(252)).toBeUndefined();
});
