import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';

import { SMTPServer, type SMTPServerDataStream, type SMTPServerSession } from 'smtp-server';

import type { MessageStore } from './store.ts';
import type { Switches } from './switches.ts';

const maxMessageBytes = 10 * 1024 * 1024;

/** The SMTP side: takes every message for every recipient, unless a switch says otherwise. */
export async function startSmtp(
  port: number,
  store: MessageStore,
  switches: () => Switches,
): Promise<{ port: number; close(): Promise<void> }> {
  const closing = new AbortController();
  const sockets = new Set<Socket>();

  const server = new SMTPServer({
    name: 'mailbox',
    banner: 'development mailbox',
    // The library's own certificate is public, so STARTTLS would promise what it cannot keep.
    disabledCommands: ['STARTTLS', 'AUTH'],
    disableReverseLookup: true,
    size: maxMessageBytes,
    closeTimeout: 100,
    onMailFrom(_address, _session, callback) {
      callback(switches().failAll ? smtpError(451, 'the mailbox is told to fail') : null);
    },
    onRcptTo({ address }, _session, callback) {
      const code = switches().refuseRecipients[address.toLowerCase()];
      callback(code === undefined ? null : smtpError(code, `<${address}> is refused`));
    },
    onData(stream, session, callback) {
      take(stream, session).then((answer) => {
        if (answer !== undefined) callback(null, answer);
      }, callback);
    },
  });

  /** Stores a message; what is to be answered, or nothing when the connection is dropped instead. */
  async function take(
    stream: SMTPServerDataStream,
    session: SMTPServerSession,
  ): Promise<string | undefined> {
    const { delayMs, dropAfterData } = switches();
    const raw = await buffer(stream);
    if (stream.sizeExceeded) throw smtpError(552, 'the message is too large');
    if (delayMs > 0) await delay(delayMs, undefined, { signal: closing.signal });
    const { mailFrom, rcptTo } = session.envelope;
    const { id } = await store.add(raw, {
      from: mailFrom === false ? '' : mailFrom.address,
      to: rcptTo.map(({ address }) => address),
    });
    if (!dropAfterData) return `accepted as ${id}`;
    for (const socket of sockets) {
      if (socket.remotePort === session.remotePort) socket.destroy();
    }
    return undefined;
  }

  server.server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  // Clients that hang up half-way are no reason to end; that the port is taken is heard below.
  server.on('error', () => undefined);
  server.listen(port, '127.0.0.1');
  await once(server.server, 'listening');

  return {
    port: portOf(server.server.address()),
    close: () =>
      new Promise((resolve) => {
        closing.abort();
        server.close(resolve);
      }),
  };
}

/** The port a server listens on. */
export function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === 'string') {
    throw new Error('The server listens on no port.');
  }
  return address.port;
}

function smtpError(responseCode: number, message: string): Error {
  return Object.assign(new Error(message), { responseCode });
}
