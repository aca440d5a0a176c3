import { createServer } from 'node:net';

// Below the ranges from which systems take the ports of outgoing connections, so that nothing takes the port between our look and its use
// but another look like this one.
const lowest = 15_000;
const highest = 31_999;
const given = new Set<number>();

/** A port of 127.0.0.1 that nobody listens on, and that this process was not given before. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < 200; tries++) {
    const port = lowest + Math.floor(Math.random() * (highest - lowest + 1));
    if (given.has(port) || !(await isFree(port))) continue;
    given.add(port);
    return port;
  }
  throw new Error(`no free port on 127.0.0.1 between ${lowest} and ${highest}`);
}

/** Throws one sentence with the remedy when somebody listens on the port: `what` needs it, `variable` changes it. */
export async function requirePort(port: number, variable: string, what: string): Promise<void> {
  if (await isFree(port)) return;
  throw new Error(
    `Port ${port} for ${what} is taken: end the program that listens on it, or choose another port with ${variable}=<port>.`,
  );
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => {
      resolve(false);
    });
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
      server.close(() => {
        resolve(true);
      });
    });
  });
}
