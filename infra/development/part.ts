import { readFile } from 'node:fs/promises';
import type { GuardedProcess, Guardian, ProcessExit, ProcessSpec } from './guardian.ts';
import { waitUntil } from './wait-until.ts';

export type Readiness = {
  /** Throws or answers false while the part is not ready. */
  readonly ready: () => Promise<boolean>;
  readonly deadlineMs: number;
};

const shownLines = 15;

/** Starts a process and waits until it truly answers. When it does not, or ends first, it is stopped and the error shows the end of its log. */
export async function startPart(
  guardian: Guardian,
  spec: ProcessSpec,
  { ready, deadlineMs }: Readiness,
): Promise<GuardedProcess> {
  const started = await guardian.start(spec);
  const waiting = new AbortController();
  const endedEarly = started.exited.then((exit) => {
    throw new Error(`${spec.name} ended while it was starting (${describeExit(exit)})`);
  });
  try {
    const answered = waitUntil(ready, {
      what: `${spec.name} does not answer`,
      deadlineMs,
      signal: waiting.signal,
    });
    await Promise.race([answered, endedEarly]);
    return started;
  } catch (error) {
    await started.stop();
    throw new Error(`${messageOf(error)}${await logTail(spec.logFile)}`, { cause: error });
  } finally {
    waiting.abort();
    endedEarly.catch(() => undefined);
  }
}

/** Runs a command to its end. Throws with the last lines of its output when it fails. */
export async function runCommand(guardian: Guardian, spec: ProcessSpec): Promise<void> {
  const lines: string[] = [];
  const running = await guardian.start({
    ...spec,
    onLine(line) {
      lines.push(line);
      if (lines.length > shownLines) lines.shift();
      spec.onLine?.(line);
    },
  });
  const exit = await running.exited;
  if (exit.code !== 0) {
    throw new Error([`${spec.name} failed (${describeExit(exit)})`, ...lines].join('\n  '));
  }
}

export const describeExit = ({ code, signal }: ProcessExit): string =>
  signal ?? `exit code ${code ?? 'unknown'}`;

async function logTail(logFile: string | undefined): Promise<string> {
  if (logFile === undefined) return '';
  const text = await readFile(logFile, 'utf8').catch(() => '');
  const lines = text.trimEnd().split('\n').slice(-shownLines);
  return `. End of ${logFile}:\n  ${lines.join('\n  ')}`;
}

const messageOf = (error: unknown): string =>
  error instanceof Error
    ? [error.message, error.cause instanceof Error ? error.cause.message : '']
        .filter((text) => text !== '')
        .join(': ')
    : String(error);
