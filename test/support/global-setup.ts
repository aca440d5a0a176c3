import { partsVariable } from './parts.ts';

/** Jest's setup of a whole run. PARTS=none starts nothing, for unit tests of one file. */
export default async function globalSetup(): Promise<void> {
  if (process.env['PARTS'] === 'none') return;
  const { startTestRun } = await import('./run.ts');
  const run = await startTestRun((line) => process.stderr.write(`test parts: ${line}\n`));
  process.env[partsVariable] = JSON.stringify(run.parts);
  globalThis.endTestRun = () => run.guardian.close();
}

declare global {
  // How the teardown, which shares no module with the setup, ends what that started.
  var endTestRun: (() => Promise<void>) | undefined;
}
