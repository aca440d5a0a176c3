import { once } from 'node:events';
import { createServer, Socket, type Server } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

/** What a proxy does to everything that goes through it. */
export type Trouble =
  /** Each way, to every piece. */
  | { readonly kind: 'delay'; readonly ms: number }
  /** Connections are reset, new ones refused. */
  | { readonly kind: 'cut' }
  /** Connections are accepted and nothing passes. What came meanwhile passes at the end of the trouble, as TCP sends again what was lost. */
  | { readonly kind: 'silence' }
  /** Every connection is reset once this many bytes of answers came through. */
  | { readonly kind: 'drop_answer'; readonly afterBytes: number }
  /** Each way, so many bytes at a time. */
  | { readonly kind: 'drip'; readonly bytes: number; readonly everyMs: number };

export type TcpProxy = {
  readonly port: number;
  /** From now on, to connections old and new; undefined ends the trouble. */
  set(trouble: Trouble | undefined): Promise<void>;
  close(): Promise<void>;
};

export type ProxyOptions = {
  /** 0 takes a free port. */
  readonly port?: number;
  /** Port of the part on 127.0.0.1. */
  readonly to: number;
};

type Pair = { readonly client: Socket; readonly part: Socket };

const host = '127.0.0.1';

/** Stands between a process and a part. Without trouble it passes everything on. */
export async function startTcpProxy({ port = 0, to }: ProxyOptions): Promise<TcpProxy> {
  const pairs = new Set<Pair>();
  let trouble: Trouble | undefined;
  /** Ends when the trouble changes. */
  let change = new AbortController();

  const reset = ({ client, part }: Pair): void => {
    client.resetAndDestroy();
    part.resetAndDestroy();
  };

  /** Passes what comes from one side to the other as the trouble of each moment lets it. */
  async function pass(pair: Pair, from: Socket, into: Socket, isAnswer: boolean): Promise<void> {
    let answered = 0;
    let countedFor: Trouble | undefined;
    try {
      for await (const piece of from as AsyncIterable<Buffer>) {
        let left = piece;
        while (left.length > 0) {
          const { signal } = change;
          if (trouble?.kind === 'silence') {
            await once(signal, 'abort');
            continue;
          }
          if (trouble?.kind === 'drop_answer' && isAnswer) {
            if (countedFor !== trouble) [answered, countedFor] = [0, trouble];
            const passing = Math.min(left.length, trouble.afterBytes - answered);
            await write(into, left.subarray(0, passing));
            answered += passing;
            left = left.subarray(passing);
            if (answered >= trouble.afterBytes) {
              reset(pair);
              return;
            }
          } else if (trouble?.kind === 'drip') {
            const { bytes, everyMs } = trouble;
            await write(into, left.subarray(0, bytes));
            left = left.subarray(bytes);
            await pause(everyMs, undefined, { signal }).catch(() => undefined);
          } else {
            if (trouble?.kind === 'delay') {
              await pause(trouble.ms, undefined, { signal }).catch(() => undefined);
            }
            await write(into, left);
            left = left.subarray(left.length);
          }
        }
      }
      into.end();
    } catch {
      // One side has gone: so does the other.
      reset(pair);
    }
  }

  const server: Server = createServer({ allowHalfOpen: true }, (client) => {
    const part = new Socket({ allowHalfOpen: true });
    const pair = { client, part };
    pairs.add(pair);
    for (const socket of [client, part]) {
      socket.setNoDelay(true);
      // Told by the loop that reads from it.
      socket.on('error', () => undefined);
      socket.once('close', () => {
        if (client.destroyed && part.destroyed) pairs.delete(pair);
      });
    }
    part.connect(to, host);
    void pass(pair, client, part, false);
    void pass(pair, part, client, true);
  });

  const listen = async (at: number): Promise<void> => {
    server.listen(at, host);
    await once(server, 'listening');
  };
  const stopListening = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => {
        resolve();
      });
      for (const pair of pairs) reset(pair);
    });

  await listen(port);
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const ownPort = address.port;

  return {
    port: ownPort,
    async set(next) {
      trouble = next;
      change.abort();
      change = new AbortController();
      if (next?.kind === 'cut' && server.listening) await stopListening();
      if (next?.kind !== 'cut' && !server.listening) await listen(ownPort);
    },
    async close() {
      change.abort();
      if (server.listening) await stopListening();
    },
  };
}

async function write(socket: Socket, bytes: Buffer): Promise<void> {
  if (bytes.length > 0 && !socket.write(bytes)) await once(socket, 'drain');
}
