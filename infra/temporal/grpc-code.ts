import { isGrpcServiceError } from '@temporalio/client';

/** Of the gRPC codes, those that are answers and no failures of ours to reach the server. */
export const grpcCodes = { invalidArgument: 3, alreadyExists: 6, unimplemented: 12 } as const;

/** The gRPC status of an error of the client, or of what caused it. */
export function grpcCodeOf(error: unknown): number | undefined {
  if (isGrpcServiceError(error)) return error.code;
  return error instanceof Error && error.cause !== undefined ? grpcCodeOf(error.cause) : undefined;
}
