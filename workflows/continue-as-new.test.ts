import { dirname, join } from 'node:path';
import { expect, it } from '@jest/globals';
import { defineSearchAttributeKey } from '@temporalio/common';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import type { GrantActivities } from '../activities/grant-activities.ts';
import type { GrantFacts } from '../domain/facts.ts';
import { grantWorkflowId } from '../domain/messages.ts';
import { actions } from '../domain/next-step.ts';
import { regulationPolicy } from '../domain/policy.ts';
import { buildFacts } from '../domain/testing.ts';
import { waitUntil } from '../infra/development/wait-until.ts';
import { createGrantWorkflows } from '../infra/temporal/grant-workflows.ts';
import { ensureSearchAttributes } from '../infra/temporal/search-attributes.ts';
import { workflowCode } from '../infra/temporal/workflow-bundle.ts';
import { testParts } from '../test/support/parts.ts';

it('a workflow with a long history goes on as a new run, with the figures it was started with, and hears every signal', async () => {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  const { temporalTestServerPath, directory } = testParts();
  const environment = await TestWorkflowEnvironment.createLocal({
    server: {
      executable: {
        type: 'existing-path',
        path: join(dirname(temporalTestServerPath), 'temporal'),
      },
      // The server's own value is 4,096.
      extraArgs: ['--dynamic-config-value', 'limit.historyCount.suggestContinueAsNew=40'],
    },
  });
  const { client, connection, nativeConnection } = environment;
  try {
    await ensureSearchAttributes(connection, 'default');
    let used = 0;
    const inAYear = new Date(Date.now() + 365 * 86_400_000).toISOString();
    let during: (() => Promise<void>) | undefined;
    const load = async (grantId: string): Promise<GrantFacts> => {
      await during?.();
      return buildFacts({
        grantId,
        grant: {
          effectiveAt: new Date(Date.now() - 86_400_000).toISOString(),
          expiresAt: inAYear,
          allowance: 100,
          used,
        },
      });
    };
    const activities = Object.fromEntries(
      ['loadGrant', ...actions].map((name) => [name, load]),
    ) as GrantActivities;
    const taskQueue = 'continue-as-new';
    const worker = await Worker.create({
      ...{ connection: nativeConnection, taskQueue, activities },
      ...(await workflowCode(join(directory, '..'))),
    });
    await worker.runUntil(async () => {
      // Warned above half already: a figure of this installation only.
      const policy = { ...regulationPolicy, usageWarningPercent: 50 };
      const temporal = { client, connection };
      const workflows = createGrantWorkflows({ temporal, taskQueue, policy });
      const handle = client.workflow.getHandle(grantWorkflowId('grant-1'));
      await workflows.ensureStarted('grant-1');
      const firstRun = (await handle.describe()).runId;
      await waitUntil(
        async () => {
          used = Math.min(49, used + 1);
          await workflows.signal('grant-1', 'usageReached', { percent: used });
          return (await handle.describe()).runId !== firstRun;
        },
        { what: 'no new run', deadlineMs: 30_000 },
      );
      const first = client.workflow.getHandle(grantWorkflowId('grant-1'), firstRun);
      expect((await first.describe()).status.name).toBe('CONTINUED_AS_NEW');

      used = 51;
      await workflows.signal('grant-1', 'usageReached', { percent: 51 });
      await waitUntil(
        async () => {
          const { typedSearchAttributes: shown } = await handle.describe();
          const standing = shown.get(defineSearchAttributeKey('GrantStanding', 'KEYWORD'));
          const percent = shown.get(defineSearchAttributeKey('UsagePercent', 'INT'));
          return standing === 'warned' && percent === 51;
        },
        { what: 'the signal to the new run was not heard', deadlineMs: 15_000 },
      );
      const { runId, status } = await handle.describe();
      expect(status.name).toBe('RUNNING');

      // A stream of signals: one comes during each look at the facts, so that the workflow never rests.
      during = () => workflows.signal('grant-1', 'foundOverdue', {});
      await during();
      await waitUntil(async () => (await handle.describe()).runId !== runId, {
        what: 'no new run under a stream of signals',
        deadlineMs: 30_000,
      });
      during = undefined;
    });
  } finally {
    await environment.teardown();
  }
});
