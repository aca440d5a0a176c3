import type { Registry } from 'prom-client';
import type { processVariables } from './common-config.ts';
import { parseConfigOrExit, type ConfigOf, type Environment, type Variables } from './config.ts';
import type { HttpApp, Listening } from './http.ts';
import { runService, type Running } from './lifecycle.ts';
import { createLog, type Logger } from './log.ts';
import { createMetrics } from './metrics.ts';
import { setClocksWrong } from './wrong-clock.ts';

/** What every service has from its beginning. */
export type Service<V extends Variables> = {
  readonly config: ConfigOf<V>;
  readonly log: Logger;
  readonly metrics: Registry;
};

/** All of a `main.ts` but its parts: configuration or exit, log, figures, start, and stop when told to. */
export async function runMain<const V extends typeof processVariables & Variables>(main: {
  readonly name: string;
  readonly variables: V;
  readonly env: Environment;
  readonly start: (service: Service<V>) => Promise<Running>;
}): Promise<void> {
  const { name, variables, env } = main;
  const config = parseConfigOrExit(variables, env);
  // TypeScript does not look through the mapped type of a type parameter.
  const common = config as ConfigOf<typeof processVariables>;
  if (common.TEST_CLOCK_OFFSET_SECONDS !== 0) setClocksWrong(common.TEST_CLOCK_OFFSET_SECONDS);
  const log = createLog({ service: name, level: common.LOG_LEVEL });
  await runService({
    name,
    log,
    graceSeconds: common.SHUTDOWN_GRACE_SECONDS,
    parentWatch: common.PARENT_WATCH,
    start: () => main.start({ config, log, metrics: createMetrics(name) }),
  });
}

/** Opens the service's port, named in the error when it is taken, and says where it listens. */
export async function listenOn<const Name extends string>(
  app: HttpApp,
  {
    config,
    log,
  }: Pick<Service<Variables>, 'log'> & {
    readonly config: { readonly HTTP_HOST: string } & Readonly<Record<Name, number>>;
  },
  portVariable: Name,
): Promise<Listening> {
  const http = await app.listen({
    port: config[portVariable],
    host: config.HTTP_HOST,
    portVariable,
  });
  log.info({ url: http.url }, 'listening');
  return http;
}
