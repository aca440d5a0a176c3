import { readConfig } from './config.ts';
import { startSimulator } from './server.ts';

try {
  const config = readConfig(process.env);
  const simulator = await startSimulator(config);
  process.stdout.write(`CA simulator at ${simulator.url}\n`);
  const stop = (): void => {
    void simulator.close();
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
} catch (error) {
  const taken = (error as NodeJS.ErrnoException).code === 'EADDRINUSE';
  const text = error instanceof Error ? error.message : String(error);
  process.stderr.write(
    `CA simulator: ${taken ? `${text}; set CA_SIMULATOR_PORT to a free port` : text}\n`,
  );
  process.exitCode = 1;
}
