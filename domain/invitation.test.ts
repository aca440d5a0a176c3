import { describe, expect, it } from '@jest/globals';
import { invitationCooldown, invitationState, type InvitationFacts } from './invitation.ts';

const sentAt = new Date('2026-05-04T12:00:00Z');
const expiresAt = new Date('2026-05-11T12:00:00Z');
const build = (facts: Partial<InvitationFacts> = {}): InvitationFacts => ({
  ...{ expiresAt, sentAt: undefined, refusedAt: undefined, endedAt: undefined },
  ...facts,
});

describe('an invitation', () => {
  it.each([
    ['waiting', {}],
    ['sent', { sentAt }],
    ['refused', { refusedAt: sentAt }],
    ['ended', { sentAt, endedAt: sentAt }],
  ])('is %s', (state, facts) => {
    expect(invitationState(build(facts), sentAt)).toBe(state);
  });

  it.each([
    [-1, 'sent'],
    [0, 'ended'],
  ])('%s ms from its end is %s', (ms, state) => {
    const now = new Date(expiresAt.getTime() + ms);
    expect(invitationState(build({ sentAt }), now)).toBe(state);
  });

  it.each([
    [0, 30],
    [29_001, 1],
    [29_999, 1],
    [30_000, 0],
    [90_000, 0],
  ])('is sent again %s ms after the last one in %s s', (ms, seconds) => {
    expect(invitationCooldown(sentAt, new Date(sentAt.getTime() + ms))).toBe(seconds);
  });
});
