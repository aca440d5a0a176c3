import type { Connection } from '@temporalio/client';
import { encodeSearchAttributeIndexedValueType as encodeType } from '@temporalio/common/lib/search-attributes.js';
import { searchAttributeTypes } from '../../domain/search-attributes.ts';
import { grpcCodeOf, grpcCodes } from './grpc-code.ts';

/**
 * Registers the search attributes of the grants in the namespace; those that are there stay. A workflow that sets one that is not registered would be
 * stuck, so this comes before the worker. Throws when the server does not answer within 10 s.
 */
export async function ensureSearchAttributes(
  connection: Connection,
  namespace: string,
): Promise<void> {
  await connection.withDeadline(Date.now() + 10_000, async () => {
    for (const [name, type] of Object.entries(searchAttributeTypes)) {
      try {
        const indexed = encodeType(type);
        if (indexed === undefined) throw new Error(`Temporal has no attributes of type ${type}`);
        await connection.operatorService.addSearchAttributes({
          namespace,
          searchAttributes: { [name]: indexed },
        });
      } catch (error) {
        if (grpcCodeOf(error) !== grpcCodes.alreadyExists) throw error;
      }
    }
  });
}
