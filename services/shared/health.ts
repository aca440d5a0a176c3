import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import { z } from 'zod';
import { Problem } from '../../domain/errors.ts';
import { systemCodeOf } from './log.ts';
import { readFigures } from './metrics.ts';
import { defineRoute, text, type Route } from './route.ts';

/** Resolves, with a remark if there is one, when the dependency can be used; rejects otherwise. What a `Problem` or `NotReady` says is shown, no other message is. */
type DependencyCheck = () => Promise<string | undefined>;
/** A bare check is of what the service cannot work without; the others are told, and leave it ready. */
export type Dependencies = Readonly<
  Record<string, DependencyCheck | { readonly required: false; readonly check: DependencyCheck }>
>;

const dependencyState = z.strictObject({
  ok: z.boolean(),
  required: z.boolean().describe('Whether the service is not ready without it.'),
  detail: z.string().optional(),
  latencyMs: z.int().min(0),
});
const readiness = z.strictObject({
  status: z.enum(['ready', 'not_ready']),
  dependencies: z.record(z.string(), dependencyState),
});

type HealthOptions = {
  readonly metrics: Registry;
  readonly dependencies: Dependencies;
  readonly deadlineMs: number;
};

/** What machines ask of every service: is it alive, can it work, what are its figures. */
export const createHealthRoutes = (options: HealthOptions): Route[] => {
  const checkAll = createReadiness(options);
  return [
    defineRoute({
      method: 'GET',
      path: '/healthz',
      summary: 'Whether the process lives',
      quiet: true,
      anyQuery: true,
      responses: { 200: z.strictObject({ status: z.literal('alive') }) },
    }).handle(() => ({ status: 200, body: { status: 'alive' } })),
    defineRoute({
      method: 'GET',
      path: '/readyz',
      summary: 'Whether the service can work, and how each part that it depends on is',
      quiet: true,
      anyQuery: true,
      responses: { 200: readiness, 503: readiness },
    }).handle(async ({ log }) => {
      const dependencies = await checkAll(log);
      const isReady = Object.values(dependencies).every(({ ok, required }) => ok || !required);
      return isReady
        ? { status: 200, body: { status: 'ready', dependencies } }
        : { status: 503, body: { status: 'not_ready', dependencies } };
    }),
    defineRoute({
      method: 'GET',
      path: '/metrics',
      summary: 'Figures for Prometheus',
      quiet: true,
      anyQuery: true,
      responses: { 200: text(options.metrics.contentType, 'Prometheus text format') },
    }).handle(async ({ log }) => ({ status: 200, text: await readFigures(options.metrics, log) })),
  ];
};

type DependencyState = z.infer<typeof dependencyState>;

const createReadiness = ({ dependencies, deadlineMs }: HealthOptions) => {
  const failing = new Set<string>();
  const check = async (
    name: string,
    dependency: Dependencies[string],
    log: Logger,
  ): Promise<DependencyState> => {
    const [required, ask] =
      typeof dependency === 'function' ? [true, dependency] : [false, dependency.check];
    const startedAt = performance.now();
    const latencyMs = () => Math.round(performance.now() - startedAt);
    try {
      const detail = await withDeadline(ask(), deadlineMs);
      if (failing.delete(name)) log.info({ dependency: name }, 'dependency is back');
      return {
        ok: true,
        required,
        ...(detail !== undefined && { detail }),
        latencyMs: latencyMs(),
      };
    } catch (error) {
      // Probes come every few seconds: only the change is news.
      if (!failing.has(name)) log.warn({ dependency: name, err: error }, 'dependency is not ready');
      failing.add(name);
      return { ok: false, required, detail: detailOf(error), latencyMs: latencyMs() };
    }
  };
  const checkAll = async (log: Logger): Promise<Record<string, DependencyState>> =>
    Object.fromEntries(
      await Promise.all(
        Object.entries(dependencies).map(
          async ([name, dependency]) => [name, await check(name, dependency, log)] as const,
        ),
      ),
    );
  // Whoever asks while the parts are being asked shares the answer: the port is open, and many who ask are no more load than one.
  let asking: Promise<Record<string, DependencyState>> | undefined;
  return (log: Logger) => {
    asking ??= checkAll(log).finally(() => {
      asking = undefined;
    });
    return asking;
  };
};

/** The route is open to whoever reaches the port, and messages of drivers name hosts and users. */
const detailOf = (error: unknown): string =>
  error instanceof NotReady || error instanceof Problem
    ? error.message
    : (systemCodeOf(error) ?? 'failed, see the log');

/** Why a dependency cannot be used, in words that may be shown. */
export class NotReady extends Error {}

const withDeadline = async <T>(work: Promise<T>, deadlineMs: number): Promise<T> => {
  let timer: NodeJS.Timeout | undefined;
  const overdue = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new NotReady(`no answer within ${String(deadlineMs)} ms`));
    }, deadlineMs);
  });
  try {
    return await Promise.race([work, overdue]);
  } finally {
    clearTimeout(timer);
  }
};
