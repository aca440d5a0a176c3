import { describe, expect, it } from '@jest/globals';
import { isInScope, isSecretGood, oldSecretEnd } from './api-key.ts';

const now = new Date('2026-06-01T12:00:00Z');
const later = (ms: number) => new Date(now.getTime() + ms);

describe('the secret of an API key', () => {
  it('that is the newest is good for ever', () => {
    expect(isSecretGood(undefined, now)).toBe(true);
  });

  it('that was replaced is good up to its last millisecond, and not at its end', () => {
    const endsAt = oldSecretEnd(now, 24);
    expect(endsAt).toEqual(new Date('2026-06-02T12:00:00Z'));
    expect(isSecretGood(endsAt, new Date(endsAt.getTime() - 1))).toBe(true);
    expect(isSecretGood(endsAt, endsAt)).toBe(false);
  });

  it('that was replaced with no overlap is good no more', () => {
    expect(isSecretGood(oldSecretEnd(now, 0), now)).toBe(false);
    expect(isSecretGood(oldSecretEnd(now, 0), later(-1))).toBe(true);
  });
});

describe('a certificate', () => {
  const all = { accountId: 'mine', certificateIds: undefined };
  const one = { accountId: 'mine', certificateIds: new Set(['a']) };

  it.each([
    [all, 'a', 'mine', true],
    [all, 'a', 'theirs', false],
    [one, 'a', 'mine', true],
    [one, 'b', 'mine', false],
    [one, 'a', 'theirs', false],
    [{ accountId: 'mine', certificateIds: new Set<string>() }, 'a', 'mine', false],
  ])('is there for a key as its scope says: %j, %s of %s', (key, certificateId, accountId, is) => {
    expect(isInScope(key, { certificateId, accountId })).toBe(is);
  });
});
