import { once } from 'node:events';
import { createRequire } from 'node:module';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { patchConnections } from './connection-patch.ts';

type Connection = {
  connect(): Promise<unknown>;
  send(request: object): Promise<Buffer>;
  disconnect(): Promise<unknown>;
};
const require = createRequire(import.meta.url);
const KafkaConnection = require('kafkajs/src/network/connection') as new (
  options: object,
) => Connection;
const createSocket = require('kafkajs/src/network/socketFactory') as () => unknown;
const Encoder = require('kafkajs/src/protocol/encoder') as new () => object;

let broker: Server;
/** What the broker does with each connection, one after the other; the last one's way with all that follow. */
let ways: ((socket: Socket, correlationId: number) => void)[];
let accepted: number;
let connection: Connection;

beforeEach(async () => {
  patchConnections();
  ways = [];
  accepted = 0;
  broker = createServer((socket) => {
    const way = ways[Math.min(accepted, ways.length - 1)]!;
    accepted += 1;
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => {
      // Requests in a row: each its length, key and version, two bytes each, its number, and the rest.
      for (let at = 0; at < bytes.length; at += 4 + bytes.readInt32BE(at)) {
        way(socket, bytes.readInt32BE(at + 8));
      }
    });
  });
  broker.listen(0, '127.0.0.1');
  await once(broker, 'listening');
  const silent = () => undefined;
  const logger = { debug: silent, info: silent, warn: silent, error: silent };
  connection = new KafkaConnection({
    host: '127.0.0.1',
    port: (broker.address() as AddressInfo).port,
    logger: { ...logger, namespace: () => logger },
    socketFactory: createSocket(),
    connectionTimeout: 1_000,
    requestTimeout: 100,
  });
});

afterEach(async () => {
  await connection.disconnect();
  await new Promise((resolve) => broker.close(resolve));
});

function answer(correlationId: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head.writeInt32BE(4 + payload.length, 0);
  head.writeInt32BE(correlationId, 4);
  return Buffer.concat([head, payload]);
}

const answerWhole = (socket: Socket, correlationId: number): void => {
  socket.write(answer(correlationId, Buffer.from('whole')));
};

async function ask(): Promise<string> {
  await connection.connect();
  const payload = await connection.send({
    request: {
      ...{ apiKey: 3, apiVersion: 0, apiName: 'Metadata' },
      encode: () => Promise.resolve(new Encoder()),
    },
    response: {
      decode: (bytes: Buffer) => Promise.resolve(bytes),
      parse: (bytes: Buffer) => Promise.resolve(bytes),
    },
  });
  return payload.toString();
}

describe('A connection to Kafka', () => {
  it('forgets what came of an answer that broke off, so that the answers after it are understood', async () => {
    const brokenOff = (socket: Socket, correlationId: number): void => {
      socket.write(answer(correlationId, Buffer.alloc(1_000)).subarray(0, 100));
      socket.end();
    };
    ways = [brokenOff, answerWhole];
    await expect(ask()).rejects.toMatchObject({ name: 'KafkaJSConnectionClosedError' });
    expect(await ask()).toBe('whole');
  });

  it('is made once, however many requests wait for it', async () => {
    ways = [answerWhole];
    expect(await Promise.all([ask(), ask(), ask()])).toEqual(['whole', 'whole', 'whole']);
    expect(accepted).toBe(1);
  });

  it('is given up when a request on it got no answer in time', async () => {
    ways = [() => undefined, answerWhole];
    await expect(ask()).rejects.toMatchObject({ name: 'KafkaJSRequestTimeoutError' });
    expect(await ask()).toBe('whole');
    expect(accepted).toBe(2);
  });
});
