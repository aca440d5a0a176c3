import { spawnSync } from 'node:child_process';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Guardian } from '../../infra/development/guardian.ts';
import { hashOf, installFolder } from '../../infra/development/installed-folder.ts';
import { runCommand } from '../../infra/development/part.ts';

const requirements = fileURLToPath(new URL('./requirements.txt', import.meta.url));

/** Puts Schemathesis under `localDir`, versions and hashes pinned by requirements.txt, and answers the folder that Python finds it in. */
export async function installSchemathesis(guardian: Guardian, localDir: string): Promise<string> {
  // Some of what it needs is compiled for one version of Python.
  const version = pythonVersion();
  const folder = join(resolve(localDir), `schemathesis-${version}-${await hashOf(requirements)}`);
  await installFolder(folder, (aside) =>
    runCommand(guardian, {
      name: 'Installation of Schemathesis (pip)',
      command: 'python3',
      args: [
        ...['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-input'],
        ...['--no-deps', '--only-binary', ':all:', '--require-hashes', '--no-compile'],
        ...['-r', requirements, '--target', aside],
      ],
    }),
  );
  return folder;
}

function pythonVersion(): string {
  const script = 'import sys; print("%d.%d" % sys.version_info[:2])';
  const { stdout, error } = spawnSync('python3', ['-c', script], { encoding: 'utf8' });
  const version = stdout.trim();
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (error !== undefined || major < 3 || (major === 3 && minor < 11)) {
    throw new Error(`The fuzzer needs Python 3.11 or later; python3 is ${version || 'not there'}.`);
  }
  return version;
}
