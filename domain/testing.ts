import type { GrantFacts } from './facts.ts';
import type { Grant } from './grant.ts';

/** Builders for tests: a full grant from the first second of 2026-01-01 UTC, with overrides. */
export const grantedAt = new Date('2026-01-01T00:00:00Z');

export function buildGrant(overrides: Partial<Grant> = {}): Grant {
  return {
    effectiveAt: grantedAt,
    expiresAt: new Date(grantedAt.getTime() + 5_184_000_000),
    allowance: 1_000_000_000,
    endsWithCertificate: false,
    ...overrides,
  };
}

export function buildFacts(overrides: Partial<GrantFacts> = {}): GrantFacts {
  return {
    v: 1,
    grantId: 'grant-1',
    accountId: 'account-1',
    certificateId: 'certificate-1',
    renewal: { state: 'granted', deadlineAt: '2026-01-01T00:15:00.000Z' },
    grant: {
      effectiveAt: grantedAt.toISOString(),
      expiresAt: '2026-03-02T00:00:00.000Z',
      allowance: 1_000_000_000,
      used: 0,
    },
    done: {},
    ...overrides,
  };
}
