import { existsSync, readFileSync } from 'node:fs';
import { isAlive } from '../lock.mjs';

/** Whether a process still runs; one that has ended and only waits for its parent to notice does not. */
export function isRunning(pid: number): boolean {
  if (!isAlive(pid)) return false;
  if (!existsSync('/proc/self/stat')) return true;
  try {
    return !/^\d+ \(.*\) Z/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}
