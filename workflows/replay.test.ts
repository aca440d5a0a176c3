import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { workflowCode } from '../infra/temporal/workflow-bundle.ts';
import { keptHistories, readableText } from '../test/support/grant-histories.ts';
import { testParts } from '../test/support/parts.ts';

const kept = await keptHistories();

describe('recorded histories', () => {
  beforeAll(() => {
    Runtime.install({ logger: new DefaultLogger('ERROR') });
  });

  it('are there for every state of a grant and a renewal', () => {
    expect(kept.map(({ state }) => state)).toEqual(
      expect.arrayContaining([
        ...['requested', 'timed-out', 'outcome-unknown'],
        ...['in-force', 'warned-by-usage', 'lapsed', 'lapsed-by-usage', 'superseded'],
      ]),
    );
  });

  it.each(kept)('$state: the workflow code of today takes the same steps', async ({ history }) => {
    const { workflowBundle } = await workflowCode(join(testParts().directory, '..'));
    await expect(
      Worker.runReplayHistory({ workflowBundle }, history, 'access-grant/replayed'),
    ).resolves.toBeUndefined();
  });

  it.each(kept)('$state: holds no secret and no address', ({ history }) => {
    expect(readableText(history)).not.toMatch(/canary|example\.test|Operator /);
  });
});
