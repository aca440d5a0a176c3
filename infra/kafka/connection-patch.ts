import type { Socket } from 'node:net';
import { unpatchedPrototypeOf } from './internals.ts';

/** A connection of kafkajs; the same one connects again and again. */
type Connection = {
  socket?: Socket;
  /** What came of the next answer so far, and how long it has to be. */
  chunks: Buffer[];
  bytesBuffered: number;
  bytesNeeded: number;
  isConnected(): boolean;
  connect(): Promise<unknown>;
  send(request: unknown): Promise<unknown>;
};

const lengthBytes = 4;

/**
 * Three faults of kafkajs connections, each found by the fault harness with a broker that was there again and a consumer that read nothing more:
 * - what was received of an answer that broke off is kept, and the answers of the next connection are read as its rest;
 * - two requests that find it not connected connect it twice, and the answers of both sockets are mixed;
 * - a connection that is silent is used again although requests on it ran out of time, until the system gives it up after a quarter of an hour.
 */
export function patchConnections(): void {
  const prototype = unpatchedPrototypeOf<Connection>('network/connection');
  if (prototype === undefined) return;
  const connect = Reflect.get(prototype, 'connect') as () => Promise<unknown>;
  const send = Reflect.get(prototype, 'send') as (request: unknown) => Promise<unknown>;
  const underWay = new WeakMap<Connection, Promise<unknown>>();

  prototype.connect = function () {
    if (this.isConnected()) return Promise.resolve(true);
    const begun = underWay.get(this);
    if (begun !== undefined) return begun;
    // Destroyed without an error, so that nothing of the old socket is heard any more.
    this.socket?.destroy();
    [this.chunks, this.bytesBuffered, this.bytesNeeded] = [[], 0, lengthBytes];
    const connecting = Reflect.apply(connect, this, []).finally(() => underWay.delete(this));
    underWay.set(this, connecting);
    return connecting;
  };

  prototype.send = async function (request) {
    const { socket } = this;
    try {
      return await Reflect.apply(send, this, [request]);
    } catch (error) {
      const isOutOfTime = error instanceof Error && error.name === 'KafkaJSRequestTimeoutError';
      if (isOutOfTime && socket !== undefined && !socket.destroyed) {
        socket.destroy(new Error('a request got no answer in time'));
        await new Promise((resolve) => socket.once('close', resolve));
      }
      throw error;
    }
  };
}
