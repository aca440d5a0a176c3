import type { Logger } from 'pino';
import { collectDefaultMetrics, Registry } from 'prom-client';

/** The registry of one process, with the figures of Node itself; every series carries the name of the service. */
export const createMetrics = (service: string): Registry => {
  const registry = new Registry();
  registry.setDefaultLabels({ service });
  collectDefaultMetrics({ register: registry });
  return registry;
};

/** All figures as Prometheus reads them. One that cannot be read is left out and logged: the others are told all the same. */
export const readFigures = async (registry: Registry, log: Logger): Promise<string> => {
  const texts = await Promise.all(
    registry.getMetricsAsArray().map(({ name }) =>
      registry.getSingleMetricAsString(name).catch((error: unknown) => {
        log.warn({ figure: name, err: error }, 'a figure cannot be read');
        return '';
      }),
    ),
  );
  return `${texts.filter((text) => text !== '').join('\n\n')}\n`;
};
