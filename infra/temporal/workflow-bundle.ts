import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger, type WorkerOptions } from '@temporalio/worker';

const root = fileURLToPath(new URL('../../', import.meta.url));
const require = createRequire(import.meta.url);

/** What a worker runs, and the name of that code as histories show it: short, since every workflow task of a history repeats it. */
export async function workflowCode(
  folder: string,
): Promise<Required<Pick<WorkerOptions, 'workflowBundle' | 'workerDeploymentOptions'>>> {
  const hash = await hashOfWorkflowCode();
  return {
    workflowBundle: { codePath: await ensureWorkflowBundle(folder, hash) },
    workerDeploymentOptions: {
      version: { deploymentName: 'worker', buildId: hash },
      // Workers of any version take any task: recorded histories are replayed before code changes (DESIGN 5).
      useWorkerVersioning: false,
    },
  };
}

/**
 * The path of the bundle of workflow code, built when there is none of this very code in the folder yet (some seconds; otherwise some milliseconds).
 * Safe to call from several processes at once.
 */
async function ensureWorkflowBundle(folder: string, hash: string): Promise<string> {
  const path = join(folder, `workflow-bundle-${hash}.js`);
  if (existsSync(path)) return path;
  await mkdir(folder, { recursive: true });
  const { code } = await bundleWorkflowCode({
    workflowsPath: join(root, 'workflows/index.ts'),
    logger: new DefaultLogger('ERROR'),
  });
  const partial = `${path}.partial-${process.pid}`;
  await writeFile(partial, code);
  await rename(partial, path);
  for (const name of await readdir(folder)) {
    const old = /^workflow-bundle-\w+\.js$/.test(name) && join(folder, name) !== path;
    if (old) await rm(join(folder, name), { force: true });
  }
  return path;
}

/** Of the sources that can be in the bundle, and of the version of the SDK, which has to be the worker's. */
async function hashOfWorkflowCode(): Promise<string> {
  const { version } = require('@temporalio/worker/package.json') as { version: string };
  const hash = createHash('sha256').update(version);
  for (const folder of ['workflows', 'domain']) {
    for (const name of (await readdir(join(root, folder))).sort()) {
      if (!name.endsWith('.ts') || name.endsWith('.test.ts')) continue;
      hash.update(`\n${folder}/${name}\n`).update(await readFile(join(root, folder, name)));
    }
  }
  return hash.digest('hex').slice(0, 12);
}
