import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts';

let part: Server;
let proxy: TcpProxy;
const clients: Socket[] = [];

beforeEach(async () => {
  // Says everything twice, so that an answer is told from a question.
  part = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => socket.write(Buffer.concat([bytes, bytes])));
  });
  part.listen(0, '127.0.0.1');
  await once(part, 'listening');
  proxy = await startTcpProxy({ to: (part.address() as AddressInfo).port });
});

afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  await proxy.close();
  await new Promise((resolve) => part.close(resolve));
});

type Visitor = {
  say(words: string): void;
  /** Settles when so many characters were heard in all. */
  hears(length: number): Promise<string>;
  heard(): string;
  readonly ended: Promise<string>;
};

async function visit(): Promise<Visitor> {
  const socket = connect(proxy.port, '127.0.0.1');
  clients.push(socket);
  let heard = '';
  const ended = new Promise<string>((resolve) => {
    socket.once('error', (error: NodeJS.ErrnoException) => {
      resolve(error.code ?? 'error');
    });
    socket.once('end', () => {
      resolve('end');
    });
  });
  socket.on('data', (bytes) => (heard += bytes.toString()));
  await once(socket, 'connect');
  return {
    say: (words) => void socket.write(words),
    heard: () => heard,
    async hears(length) {
      while (heard.length < length) await once(socket, 'data');
      return heard;
    },
    ended,
  };
}

describe('A proxy of the fault harness', () => {
  it('passes everything on while there is no trouble', async () => {
    const visitor = await visit();
    visitor.say('word ');
    expect(await visitor.hears(10)).toBe('word word ');
  });

  it('resets connections when it is cut, refuses new ones, and takes them again afterwards', async () => {
    const visitor = await visit();
    visitor.say('a');
    await visitor.hears(2);
    await proxy.set({ kind: 'cut' });
    expect(await visitor.ended).toMatch(/^(ECONNRESET|end)$/);
    await expect(visit()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await proxy.set(undefined);
    const next = await visit();
    next.say('b');
    expect(await next.hears(2)).toBe('bb');
  });

  it('lets nothing through in silence, and all of it afterwards', async () => {
    const before = await visit();
    await proxy.set({ kind: 'silence' });
    const during = await visit();
    before.say('a');
    during.say('b');
    await proxy.set({ kind: 'silence' });
    expect([before.heard(), during.heard()]).toEqual(['', '']);
    await proxy.set(undefined);
    expect(await Promise.all([before.hears(2), during.hears(2)])).toEqual(['aa', 'bb']);
  });

  it('drops a connection in the middle of an answer', async () => {
    const visitor = await visit();
    await proxy.set({ kind: 'drop_answer', afterBytes: 3 });
    visitor.say('word');
    expect(await visitor.ended).toMatch(/^(ECONNRESET|end)$/);
    expect(['', 'wor']).toContain(visitor.heard());
  });

  it('takes its time each way, and drips', async () => {
    const visitor = await visit();
    await proxy.set({ kind: 'delay', ms: 30 });
    const askedAt = performance.now();
    visitor.say('ab');
    await visitor.hears(4);
    expect(performance.now() - askedAt).toBeGreaterThanOrEqual(58);
    await proxy.set({ kind: 'drip', bytes: 1, everyMs: 15 });
    const drippedAt = performance.now();
    visitor.say('cd');
    expect(await visitor.hears(8)).toHaveLength(8);
    expect(performance.now() - drippedAt).toBeGreaterThanOrEqual(43);
  });
});
