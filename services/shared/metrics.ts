import { collectDefaultMetrics, Registry } from 'prom-client';

/** The registry of one process, with the figures of Node itself; every series carries the name of the service. */
export const createMetrics = (service: string): Registry => {
  const registry = new Registry();
  registry.setDefaultLabels({ service });
  collectDefaultMetrics({ register: registry });
  return registry;
};
