import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { createGuardian, type Guardian } from '../development/guardian.ts';
import { freePort } from '../development/ports.ts';
import { installTemporal, startTemporal, type RunningTemporal } from './development-server.ts';

const localDir = fileURLToPath(new URL('../../.local/', import.meta.url));
const namespace = 'kept';
let folder: string;
let guardian: Guardian;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'temporal-'));
  guardian = createGuardian();
});
afterEach(async () => {
  await guardian.close();
  rmSync(folder, { recursive: true, force: true });
});

async function start(uiPort: number): Promise<RunningTemporal> {
  const { cli } = await installTemporal(guardian, localDir);
  return startTemporal({
    guardian,
    cli,
    port: await freePort(),
    uiPort,
    databaseFile: join(folder, 'temporal', 'temporal.db'),
    namespace,
    retentionDays: 7,
    logFile: join(folder, 'temporal.log'),
  });
}

describe('The development Temporal', () => {
  it('keeps workflows over a restart, ended ones for a week, and shows its UI', async () => {
    const first = await start(await freePort());
    const before = await Connection.connect({ address: first.address });
    await new Client({ connection: before, namespace }).workflow.start('any', {
      workflowId: 'kept-1',
      taskQueue: 'nobody',
    });
    await before.close();
    await first.stop();

    const uiPort = await freePort();
    const second = await start(uiPort);
    const after = await Connection.connect({ address: second.address });
    try {
      const client = new Client({ connection: after, namespace });
      const { status } = await client.workflow.getHandle('kept-1').describe();
      expect(status.name).toBe('RUNNING');
      const { config } = await after.workflowService.describeNamespace({ namespace });
      expect(Number(config?.workflowExecutionRetentionTtl?.seconds)).toBe(7 * 86_400);
      expect((await fetch(`http://127.0.0.1:${uiPort}/`)).status).toBe(200);
    } finally {
      await after.close();
    }
  });
});
