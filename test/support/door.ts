import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

export type Door = {
  readonly port: number;
  /** Connections stay, new ones are taken, and nothing comes through any more: not even that the other side is gone. */
  fallSilent(): void;
  /** New connections lead through again; those that fell silent stay so. */
  speakAgain(): void;
  /** Resolves when the first connection has come. */
  readonly called: Promise<void>;
  close(): Promise<void>;
};

/** A port that leads to another. Without `to` it is silent from the beginning, as a part is that hangs. */
export async function openDoor(to?: {
  readonly port: number;
  readonly host: string;
}): Promise<Door> {
  const sockets = new Set<Socket>();
  let ring: () => void = () => undefined;
  const called = new Promise<void>((resolve) => (ring = resolve));
  let state = { isSilent: to === undefined };
  const keep = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => sockets.delete(socket));
  };
  const pass = (from: Socket, other: Socket, own: { readonly isSilent: boolean }): void => {
    from.on('data', (bytes) => {
      if (!own.isSilent) other.write(bytes);
    });
    from.once('close', () => {
      if (!own.isSilent) other.destroy();
    });
  };
  const server = createServer((caller) => {
    const own = state;
    keep(caller);
    ring();
    caller.resume();
    if (own.isSilent || to === undefined) return;
    const other = connect(to);
    keep(other);
    pass(caller, other, own);
    pass(other, caller, own);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    called,
    fallSilent() {
      state.isSilent = true;
    },
    speakAgain() {
      state = { isSilent: false };
    },
    close() {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
      });
    },
  };
}
