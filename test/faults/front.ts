import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One address before several processes of a service, as a load balancer is. */
export type Front = {
  readonly url: string;
  /** From now on, every request. */
  sendTo(url: string): void;
  close(): void;
};

export async function startFront(): Promise<Front> {
  let target = new URL('http://127.0.0.1:9');
  const server = createServer((asked, answer) => {
    const { method, url: path, headers } = asked;
    const { hostname, port } = target;
    const passedOn = request({ hostname, port, method, path, headers, agent: false }, (came) => {
      answer.writeHead(came.statusCode ?? 502, came.rawHeaders);
      came.pipe(answer);
    });
    passedOn.once('error', () => answer.destroy());
    asked.pipe(passedOn);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    sendTo(url) {
      target = new URL(url);
    },
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
