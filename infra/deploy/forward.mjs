/**
 * Passes TCP connections on: node forward.mjs <listen host:port> <target host:port>. For the demonstration in containers: the CA simulator answers
 * on its own loopback only, and our services speak plain HTTP to loopback only, so each gets a door there.
 */
import { connect, createServer } from 'node:net';

const [from, to] = process.argv.slice(2).map((address) => {
  const { hostname, port } = new URL(`tcp://${address}`);
  return { host: hostname, port: Number(port) };
});

const server = createServer((incoming) => {
  const outgoing = connect(to);
  incoming.pipe(outgoing).pipe(incoming);
  incoming.on('error', () => outgoing.destroy());
  outgoing.on('error', () => incoming.destroy());
});
server.listen(from);
for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => process.exit(0));
