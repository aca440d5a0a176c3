import { Client, Connection } from '@temporalio/client';

export type TemporalOptions = {
  /** host:port of the frontend. */
  readonly address: string;
  readonly namespace: string;
  readonly identity: string;
};

export type Temporal = {
  readonly client: Client;
  readonly connection: Connection;
  readonly namespace: string;
  /** Rejects when the frontend does not answer within a second. */
  check(): Promise<undefined>;
  close(): Promise<void>;
};

/** Connects at the first call, and again after an outage. A call made outside `withinDeadline` may wait for ever. */
export function connectTemporal({ address, namespace, identity }: TemporalOptions): Temporal {
  const connection = Connection.lazy({ address, connectTimeout: 5_000 });
  return {
    client: new Client({ connection, namespace, identity }),
    connection,
    namespace,
    check: () =>
      connection.withDeadline(Date.now() + 1_000, async () => {
        await connection.workflowService.getSystemInfo({});
        return undefined;
      }),
    close: () => connection.close(),
  };
}
