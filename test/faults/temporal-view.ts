import { WorkflowNotFoundError } from '@temporalio/client';
import { defineSearchAttributeKey } from '@temporalio/common';
import { grantWorkflowId } from '../../domain/messages.ts';
import { searchAttributeTypes } from '../../domain/search-attributes.ts';
import type { System } from '../support/system.ts';
import type { Evidence } from './evidence.ts';

const standingKey = defineSearchAttributeKey('GrantStanding', searchAttributeTypes.GrantStanding);

/** The workflow of a grant as Temporal has it. */
export async function describeWorkflow(
  { temporal }: System,
  grantId: string,
): Promise<Evidence['workflows'][number]> {
  const handle = temporal.workflow.getHandle(grantWorkflowId(grantId));
  try {
    const described = await handle.describe();
    const status = described.status.name;
    return {
      ...{ grantId, status },
      result: status === 'COMPLETED' ? await handle.result() : undefined,
      standing: described.typedSearchAttributes.get(standingKey),
    };
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
    return { grantId, status: undefined, result: undefined, standing: undefined };
  }
}
