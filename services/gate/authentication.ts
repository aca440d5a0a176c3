import { isSecretGood } from '../../domain/api-key.ts';
import type { Clock } from '../../domain/clock.ts';
import { Problem } from '../../domain/errors.ts';
import type { GoodSecret } from '../../infra/postgres/api-keys.ts';
import { hashSecret } from '../../infra/postgres/sealing.ts';
import type { Authentication } from '../shared/route.ts';
import type { Picture } from './picture.ts';

const bearer = /^Bearer ([\w-]{1,200})$/;

/** Unknown keys make the picture be read again no more often than this, however many come. */
const readForUnknownMs = 1_000;
/** So many requests wait for such a reading; more are refused at once. */
const mostWaiting = 1_000;

type Options = {
  readonly picture: Picture;
  readonly clock: Clock;
  /** Told of each request with a good secret. */
  readonly onUse: (secret: GoodSecret) => void;
};

/**
 * API keys of signing services. A key that the picture does not know may be new, so it is looked for in a picture that was begun after it came, before it is
 * refused. One such reading a second serves all who wait for it: whoever sends garbage makes no more load on the database than that.
 *
 * The look-up is by the SHA-256 of what was sent, of 256 random bits. How long a map takes may tell something about the hash, which the sender can compute
 * alone and which leads nowhere: to come near a stored hash somebody would have to choose secrets by their hash, and could then not turn the hash into the
 * secret. So nothing has to be compared in constant time. Guessing needs no limit by address for the same reason.
 */
export function apiKeyAuthentication(options: Options): Authentication<GoodSecret> {
  const { picture, clock, onUse } = options;
  let lastReadMs = -Infinity;
  let next: Promise<void> | undefined;
  let waiting = 0;

  const find = (hash: string): GoodSecret | undefined => picture.get().picture.secrets.get(hash);
  const readSoon = async (): Promise<void> => {
    const waitMs = Math.max(0, lastReadMs + readForUnknownMs - performance.now());
    await new Promise((resolve) => setTimeout(resolve, waitMs));
    // The key of whoever comes from here on may be newer than this reading.
    next = undefined;
    lastReadMs = performance.now();
    await picture.readNow().catch(() => undefined);
  };
  const readOnceMore = async (): Promise<void> => {
    if (waiting >= mostWaiting) return;
    waiting += 1;
    await (next ??= readSoon());
    waiting -= 1;
  };
  return {
    scheme: 'apiKey',
    definition: { type: 'http', scheme: 'bearer' },
    problems: ['api_key_refused', 'picture_stale'],
    async authenticate(ctx) {
      const key = bearer.exec(ctx.get('authorization'))?.[1];
      if (key === undefined) throw new Problem('api_key_refused');
      const hash = hashSecret(key).toString('hex');
      let secret = find(hash);
      if (secret === undefined) {
        await readOnceMore();
        secret = find(hash);
      }
      if (secret === undefined || !isSecretGood(secret.endsAt, clock.now())) {
        throw new Problem('api_key_refused');
      }
      onUse(secret);
      return secret;
    },
  };
}
