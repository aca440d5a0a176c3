import { once } from 'node:events';
import { createServer } from 'node:net';
import { freePort, requirePort } from './ports.ts';

describe('A port', () => {
  it.each(['127.0.0.1', '0.0.0.0', '::'])(
    'taken on %s is one sentence that names the variable to change',
    async (host) => {
      const port = await freePort();
      const server = createServer().listen(port, host);
      await once(server, 'listening');
      await expect(requirePort(port, 'KAFKA_PORT', 'Kafka')).rejects.toThrow(
        `Port ${port} for Kafka is taken: end the program that listens on it, or choose another port with KAFKA_PORT=<port>.`,
      );
      server.close();
      await once(server, 'close');
      await expect(requirePort(port, 'KAFKA_PORT', 'Kafka')).resolves.toBeUndefined();
    },
  );

  it('that is free is given once', async () => {
    const ports = await Promise.all(Array.from({ length: 50 }, freePort));
    expect(new Set(ports).size).toBe(50);
  });
});
