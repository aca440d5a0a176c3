import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { Context } from 'koa';
import type { GoodSecret } from '../../infra/postgres/api-keys.ts';
import { hashSecret } from '../../infra/postgres/sealing.ts';
import { apiKeyAuthentication } from './authentication.ts';
import { keepPicture, type Picture } from './picture.ts';

const clock = { now: () => new Date('2026-06-01T12:00:00Z') };

/** Keys that are in the database. */
let stored: Map<string, GoodSecret>;
let reads: number;
let picture: Picture;
let authenticate: (key: string) => Promise<string>;

beforeEach(async () => {
  jest.useFakeTimers();
  stored = new Map();
  reads = 0;
  picture = keepPicture({
    read() {
      reads += 1;
      return Promise.resolve({ certificates: new Map(), secrets: new Map(stored) });
    },
    now: () => clock.now(),
    readEveryMs: 3_600_000,
    staleAfterMs: 3_600_000,
    onError: () => undefined,
  });
  await picture.readNow();
  const authentication = apiKeyAuthentication({ picture, clock, onUse: () => undefined });
  authenticate = async (key) => {
    const ctx = { get: () => `Bearer ${key}` } as unknown as Context;
    return authentication.authenticate(ctx).then(
      () => 'known',
      (error: unknown) => (error as { code: string }).code,
    );
  };
});
afterEach(async () => {
  await picture.stop();
  jest.useRealTimers();
});

function store(key: string): void {
  const keyHash = hashSecret(key);
  stored.set(keyHash.toString('hex'), {
    keyHash,
    apiKeyId: key,
    accountId: 'account',
    certificateIds: undefined,
    endsAt: undefined,
  });
}

describe('a key that the gate does not know', () => {
  it('is looked for once more before it is refused', async () => {
    store('new');
    const found = authenticate('new');
    await jest.advanceTimersByTimeAsync(0);
    expect(await found).toBe('known');
    expect(reads).toBe(2);
  });

  it('makes the gate read once a second, however many come', async () => {
    const refused: string[] = [];
    const send = () => void authenticate('garbage').then((code) => refused.push(code));
    for (let ms = 0; ms < 10_000; ms += 10) {
      send();
      await jest.advanceTimersByTimeAsync(10);
    }
    expect(reads).toBeLessThanOrEqual(12);
    await jest.advanceTimersByTimeAsync(1_000);
    expect(refused).toEqual(Array<string>(1_000).fill('api_key_refused'));
  });

  it('and is new is known within a second, also among garbage', async () => {
    void authenticate('garbage');
    await jest.advanceTimersByTimeAsync(1);
    store('new');
    void authenticate('garbage');
    const found = authenticate('new');
    await jest.advanceTimersByTimeAsync(999);
    expect(await found).toBe('known');
  });

  it('is refused at once when a thousand wait already', async () => {
    void authenticate('first');
    await jest.advanceTimersByTimeAsync(1);
    for (let count = 0; count < 1_000; count += 1) void authenticate('garbage');
    expect(await authenticate('one more')).toBe('api_key_refused');
    await jest.advanceTimersByTimeAsync(1_000);
    expect(reads).toBe(3);
  });
});
