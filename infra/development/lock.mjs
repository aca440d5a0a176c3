/** Plain JavaScript without dependencies, since infra/deploy/install.mjs uses it before anything is installed. Types: lock.d.mts. */
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

let attempts = 0;

/**
 * Runs `work` while no other process of this machine does so under the same file. A lock whose holder has died is taken over.
 * `onWait` is told once whom we wait for.
 */
export async function withLock(file, work, onWait = () => undefined) {
  mkdirSync(dirname(file), { recursive: true });
  const own = `${file}.${process.pid}-${++attempts}`;
  // A link appears with its content in one step: nobody reads a lock that does not yet say whose it is.
  writeFileSync(own, String(process.pid));
  try {
    for (let waited = false; !tryLink(own, file);) {
      const holder = readHolder(file);
      if (holder !== undefined && !isAlive(holder)) {
        removeStale(file, holder, own);
      } else {
        if (!waited && holder !== undefined) onWait(holder);
        waited = true;
        await pause(100);
      }
    }
  } finally {
    rmSync(own, { force: true });
  }
  try {
    return await work();
  } finally {
    rmSync(file, { force: true });
  }
}

export function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

function tryLink(own, file) {
  try {
    linkSync(own, file);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
}

function readHolder(file) {
  try {
    return Number(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

/** Moves the lock away first and looks at what it moved: between our look and this another process may have taken it over. */
function removeStale(file, holder, own) {
  const aside = `${own}.stale`;
  try {
    renameSync(file, aside);
  } catch {
    return;
  }
  if (readHolder(aside) !== holder) tryLink(aside, file);
  rmSync(aside, { force: true });
}
