import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { admit, type Bucket } from './rate-limit.ts';

const start = Date.parse('2026-06-01T12:00:00Z');
const at = (ms: number) => new Date(start + ms);

/** Answers at which of the instants a call was admitted. */
function admittedAt(instants: readonly number[], perMinute: number): number[] {
  let bucket: Bucket | undefined;
  return instants.filter((ms) => {
    const answer = admit(bucket, at(ms), perMinute);
    if (answer.admitted) ({ bucket } = answer);
    return answer.admitted;
  });
}

describe('a rate of calls', () => {
  it('lets somebody who was quiet make a minute’s calls at once, and not one more', () => {
    expect(admittedAt([0, 0, 0, 0], 3)).toHaveLength(3);
  });

  it('lets the next one in when its time has come, and not a millisecond before', () => {
    const bucket = { tokens: 0, asOf: at(0) };
    expect(admit(bucket, at(19_999), 3)).toEqual({ admitted: false, retryAfterMs: 1 });
    expect(admit(bucket, at(20_000), 3)).toMatchObject({ admitted: true });
  });

  it('says how long to wait', () => {
    const answer = admit({ tokens: 0.5, asOf: at(0) }, at(0), 600);
    expect(answer).toEqual({ admitted: false, retryAfterMs: 50 });
  });

  it('holds no more than a minute’s calls, however long it was quiet', () => {
    const day = 86_400_000;
    expect(admittedAt([0, 0, day, day, day], 2)).toEqual([0, 0, day, day]);
  });

  it('takes a lower rate at once when it was changed', () => {
    const full = { tokens: 600, asOf: at(0) };
    expect(admit(full, at(0), 2)).toMatchObject({ admitted: true, bucket: { tokens: 1 } });
  });

  it('gives nothing for a clock that went back, and nothing twice when it comes forward again', () => {
    const bucket = { tokens: 0, asOf: at(60_000) };
    expect(admit(bucket, at(0), 3)).toMatchObject({ admitted: false });
    const after = admit({ tokens: 1, asOf: at(60_000) }, at(0), 3);
    expect(after).toEqual({ admitted: true, bucket: { tokens: 0, asOf: at(60_000) } });
  });

  it('never lets more through in any span than a minute’s calls and what the span adds', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 50 }),
        fc.array(fc.nat({ max: 5_000 }), { maxLength: 200 }),
        (perMinute, gaps) => {
          let now = 0;
          const instants = gaps.map((gap) => (now += gap));
          const admitted = admittedAt(instants, perMinute);
          for (const [place, from] of admitted.entries()) {
            const to = admitted.at(-1) ?? from;
            const most = perMinute + ((to - from) * perMinute) / 60_000;
            expect(admitted.length - place).toBeLessThanOrEqual(most + 1e-6);
          }
        },
      ),
    );
  });
});
