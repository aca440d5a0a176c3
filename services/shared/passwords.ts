import { hash, verify } from '@node-rs/argon2';
import { Problem } from '../../domain/errors.ts';
import { createWorkQueue, type Lane } from './work-queue.ts';

/**
 * Hashing costs 19 MiB and a core for tens of milliseconds each time, on the threads that Node also reads files and looks up names with, so a process does two at
 * once. Of strangers no more wait than are done within about a second; the others are told to come again.
 */
const queue = createWorkQueue({ atOnce: 2, mostWaiting: 30 });
const busy = () => new Problem('unavailable', { retryAfterSeconds: 2 });

/** Throws `unavailable` when work of this lane would not be taken now: for those who want to know before they count something. */
export function requireRoomToHash(lane: Lane): void {
  if (!queue.hasRoom(lane)) throw busy();
}

async function inTurn<T>(lane: Lane, work: () => Promise<T>): Promise<T> {
  const done = queue.run(lane, work);
  if (done === undefined) throw busy();
  return done;
}

/**
 * Argon2id with the library's parameters (19 MiB, 2 passes), which are OWASP's first choice; they stand in each hash, so they can be raised later. Asked for only by
 * those who are known: signed in, or with a token of ours.
 */
export const hashPassword = (password: string): Promise<string> =>
  inTurn('known', () => hash(password));

/** Throws `unavailable` when too many of this lane wait. */
export const verifyPassword = (
  passwordHash: string,
  password: string,
  lane: Lane,
): Promise<boolean> => inTurn(lane, () => verify(passwordHash, password));
