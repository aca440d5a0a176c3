import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import { ValueError } from '@temporalio/common';
import { grantSignalNames, grantWorkflowId } from '../../domain/messages.ts';
import { regulationPolicy, type Policy } from '../../domain/policy.ts';
import type { Temporal } from './client.ts';
import { grpcCodeOf, grpcCodes } from './grpc-code.ts';
import { Undeliverable } from './undeliverable.ts';

export type GrantWorkflows = {
  /**
   * Signals the workflow of a grant, and starts it when there is none. One that has completed needs no signal any more. Rejects with `Undeliverable` for
   * what the server will never take, with any other error when it may be taken later.
   */
  signal(grantId: string, name: string, payload: unknown): Promise<void>;
  /** Sees that the workflow of a grant runs; adds nothing to the history of one that does. */
  ensureStarted(grantId: string): Promise<void>;
};

const deadlineMs = 5_000;
const workflowType = 'accessGrant';

/** Sends to `access-grant/<grantId>` (DESIGN 5). `policy` is what the installation compares with; only what differs from the regulation travels. */
export function createGrantWorkflows({
  temporal: { client, connection },
  taskQueue,
  policy,
}: {
  readonly temporal: Pick<Temporal, 'client' | 'connection'>;
  readonly taskQueue: string;
  readonly policy: Policy;
}): GrantWorkflows {
  const figures = differingFigures(policy);
  const optionsFor = (grantId: string) => ({
    workflowId: grantWorkflowId(grantId),
    taskQueue,
    args: [{ grantId, ...(figures && { policy: figures }) }],
    workflowIdReusePolicy: 'ALLOW_DUPLICATE_FAILED_ONLY' as const,
    workflowIdConflictPolicy: 'USE_EXISTING' as const,
    staticSummary: 'Access grant of a certificate',
  });
  const send = async (call: () => Promise<unknown>): Promise<void> => {
    try {
      await connection.withDeadline(Date.now() + deadlineMs, call);
    } catch (error) {
      if (error instanceof WorkflowExecutionAlreadyStartedError) return;
      if (error instanceof ValueError || grpcCodeOf(error) === grpcCodes.invalidArgument) {
        throw new Undeliverable(`Temporal refuses it: ${reasonOf(error)}`, { cause: error });
      }
      throw error;
    }
  };
  return {
    async signal(grantId, name, payload) {
      // A handler for an unknown name does not exist: the signal would wait in the history for ever.
      if (!(grantSignalNames as readonly string[]).includes(name)) {
        throw new Undeliverable(`no signal has the name ${name}`);
      }
      await send(() =>
        client.workflow.signalWithStart(workflowType, {
          ...optionsFor(grantId),
          signal: name,
          signalArgs: [payload],
        }),
      );
    },
    ensureStarted: (grantId) =>
      send(() => client.workflow.start(workflowType, optionsFor(grantId))),
  };
}

function differingFigures(policy: Policy): Partial<Policy> | undefined {
  const names = Object.keys(regulationPolicy) as (keyof Policy)[];
  const differing = names.filter((name) => policy[name] !== regulationPolicy[name]);
  if (differing.length === 0) return undefined;
  return Object.fromEntries(differing.map((name) => [name, policy[name]]));
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  return error.cause instanceof Error ? error.cause.message : error.message;
}
