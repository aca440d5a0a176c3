import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export type ProcessSpec = {
  /** As people know it: "PostgreSQL". */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** Added to the starter's own environment. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly user?: { readonly uid: number; readonly gid: number };
  /** Standard output and error are appended to it. */
  readonly logFile?: string;
  readonly onLine?: (line: string) => void;
  /** Asks it to end; after `graceMs` it is killed. */
  readonly stopSignal?: NodeJS.Signals;
  readonly graceMs?: number;
};

export type ProcessExit = {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
};

export type GuardedProcess = {
  readonly name: string;
  readonly pid: number;
  /** Settles when the process and its whole output have ended; never rejects. */
  readonly exited: Promise<ProcessExit>;
  /** Asks, then kills; settles when it is gone. Safe to call twice. */
  stop(): Promise<ProcessExit>;
};

export type Guardian = {
  /** Its process, which ends after the last one it guards. Undefined when it could not be started. */
  readonly pid: number | undefined;
  start(spec: ProcessSpec): Promise<GuardedProcess>;
  /** Removes a folder after the last process has ended, also when the starter was killed. */
  removeAtEnd(path: string): void;
  /** Ends every process still running, removes what was to be removed. Safe to call twice. */
  close(): Promise<void>;
};

type Answer = { readonly id: number } & (
  | { readonly event: 'started'; readonly pid: number }
  | { readonly event: 'failed'; readonly message: string }
  | { readonly event: 'line'; readonly line: string }
  | ({ readonly event: 'exited' } & ProcessExit)
);

type Listener = {
  readonly spec: ProcessSpec;
  readonly started: (pid: number) => void;
  readonly failed: (error: Error) => void;
  readonly exited: (exit: ProcessExit) => void;
  pid: number | undefined;
};

/**
 * A process that starts others on our behalf and ends them when we end, in whatever way: Ctrl-C, an exception, SIGKILL, half-way through
 * starting. It is the parent, so there is no instant at which a started process is not yet known to it.
 */
export function createGuardian(): Guardian {
  // In a session of its own: Ctrl-C in a terminal reaches us, and we decide in which order things end.
  const guardian = spawn(
    process.execPath,
    [fileURLToPath(new URL('./guardian.mjs', import.meta.url))],
    {
      detached: true,
      stdio: ['pipe', 'pipe', 'ignore'],
    },
  );
  const listeners = new Map<number, Listener>();
  let lastId = 0;
  let gone = false;

  const ended = new Promise<void>((resolve) => {
    const end = (): void => {
      gone = true;
      for (const { spec, pid, failed, exited } of listeners.values()) {
        // Only when the guardian itself was killed: then its processes are ours to end.
        if (pid !== undefined) killGroup(pid);
        failed(new Error(`${spec.name} was not started: the process that guards it has ended`));
        exited({ code: null, signal: 'SIGKILL' });
      }
      listeners.clear();
      resolve();
    };
    guardian.once('close', end);
    guardian.once('error', end);
  });
  guardian.stdin.on('error', () => undefined);
  const send = (command: object): void => {
    if (!gone) guardian.stdin.write(JSON.stringify(command) + '\n');
  };

  createInterface({ input: guardian.stdout }).on('line', (text) => {
    const answer = JSON.parse(text) as Answer;
    const listener = listeners.get(answer.id);
    if (listener === undefined) return;
    switch (answer.event) {
      case 'started':
        listener.pid = answer.pid;
        listener.started(answer.pid);
        break;
      case 'failed':
        listeners.delete(answer.id);
        listener.failed(new Error(`${listener.spec.name} cannot be started: ${answer.message}`));
        break;
      case 'line':
        listener.spec.onLine?.(answer.line);
        break;
      case 'exited':
        listeners.delete(answer.id);
        listener.exited({ code: answer.code, signal: answer.signal });
        break;
    }
  });

  return {
    pid: guardian.pid,
    async start(spec) {
      const { onLine, stopSignal = 'SIGTERM', graceMs = 8_000, ...rest } = spec;
      const id = ++lastId;
      let exited!: (exit: ProcessExit) => void;
      const exit = new Promise<ProcessExit>((resolve) => (exited = resolve));
      const pid = await new Promise<number>((started, failed) => {
        if (gone) {
          failed(new Error(`${spec.name} was not started: we are ending`));
          return;
        }
        listeners.set(id, { spec, started, failed, exited, pid: undefined });
        send({ do: 'start', id, lines: onLine !== undefined, stopSignal, graceMs, ...rest });
      });
      return {
        name: spec.name,
        pid,
        exited: exit,
        stop() {
          send({ do: 'stop', id });
          return exit;
        },
      };
    },
    removeAtEnd(path) {
      send({ do: 'removeAtEnd', path });
    },
    close() {
      guardian.stdin.end();
      return ended;
    },
  };
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended already.
  }
}
