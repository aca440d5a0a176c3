import type { Connection } from '@temporalio/client';
import { encodeSearchAttributeIndexedValueType as encodeType } from '@temporalio/common/lib/search-attributes.js';
import { searchAttributeTypes } from '../../domain/search-attributes.ts';
import { grpcCodeOf, grpcCodes } from './grpc-code.ts';

/**
 * Registers the search attributes of the grants in the namespace; those that are there stay. A workflow that sets one that is not registered is stuck until
 * it is. Answers whether any was missing: then the namespace is new, or was wiped. Throws when the server does not answer within 10 s.
 */
export async function ensureSearchAttributes(
  connection: Connection,
  namespace: string,
): Promise<boolean> {
  return connection.withDeadline(Date.now() + 10_000, async () => {
    const registered = await registeredAttributes(connection, namespace);
    const missing = Object.entries(searchAttributeTypes).filter(([name]) => !registered.has(name));
    for (const [name, type] of missing) {
      const indexed = encodeType(type);
      if (indexed === undefined) throw new Error(`Temporal has no attributes of type ${type}`);
      try {
        await connection.operatorService.addSearchAttributes({
          namespace,
          searchAttributes: { [name]: indexed },
        });
      } catch (error) {
        // Another worker was quicker.
        if (grpcCodeOf(error) !== grpcCodes.alreadyExists) throw error;
      }
    }
    return missing.length > 0;
  });
}

async function registeredAttributes(
  connection: Connection,
  namespace: string,
): Promise<ReadonlySet<string>> {
  try {
    const { customAttributes } = await connection.operatorService.listSearchAttributes({
      namespace,
    });
    return new Set(Object.keys(customAttributes));
  } catch (error) {
    // The time-skipping server of the tests cannot list them.
    if (grpcCodeOf(error) !== grpcCodes.unimplemented) throw error;
    return new Set();
  }
}
