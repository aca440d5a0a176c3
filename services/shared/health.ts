import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import { z } from 'zod';
import { Problem } from '../../domain/errors.ts';
import { systemCodeOf } from './log.ts';
import { defineRoute, text, type Route } from './route.ts';

/** Resolves, with a remark if there is one, when the dependency can be used; rejects otherwise. What a `Problem` says is shown, no other message is. */
type DependencyCheck = () => Promise<string | undefined>;
export type Dependencies = Readonly<Record<string, DependencyCheck>>;

const dependencyState = z.strictObject({
  ok: z.boolean(),
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
      summary: 'Whether the service and all it depends on can work',
      quiet: true,
      anyQuery: true,
      responses: { 200: readiness, 503: readiness },
    }).handle(async ({ log }) => {
      const dependencies = await checkAll(log);
      const isReady = Object.values(dependencies).every(({ ok }) => ok);
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
    }).handle(async () => ({ status: 200, text: await options.metrics.metrics() })),
  ];
};

const createReadiness = ({ dependencies, deadlineMs }: HealthOptions) => {
  const failing = new Set<string>();
  const check = async (name: string, dependency: DependencyCheck, log: Logger) => {
    const startedAt = performance.now();
    const latencyMs = () => Math.round(performance.now() - startedAt);
    try {
      const detail = await withDeadline(dependency(), deadlineMs);
      if (failing.delete(name)) log.info({ dependency: name }, 'dependency is back');
      return { ok: true, ...(detail !== undefined && { detail }), latencyMs: latencyMs() };
    } catch (error) {
      // Probes come every few seconds: only the change is news.
      if (!failing.has(name)) log.warn({ dependency: name, err: error }, 'dependency is not ready');
      failing.add(name);
      return { ok: false, detail: detailOf(error), latencyMs: latencyMs() };
    }
  };
  return async (log: Logger) =>
    Object.fromEntries(
      await Promise.all(
        Object.entries(dependencies).map(
          async ([name, dependency]) => [name, await check(name, dependency, log)] as const,
        ),
      ),
    );
};

/** The route is open to whoever reaches the port, and messages of drivers name hosts and users. */
const detailOf = (error: unknown): string =>
  error instanceof Overdue || error instanceof Problem
    ? error.message
    : (systemCodeOf(error) ?? 'failed, see the log');

class Overdue extends Error {}

const withDeadline = async <T>(work: Promise<T>, deadlineMs: number): Promise<T> => {
  let timer: NodeJS.Timeout | undefined;
  const overdue = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Overdue(`no answer within ${String(deadlineMs)} ms`));
    }, deadlineMs);
  });
  try {
    return await Promise.race([work, overdue]);
  } finally {
    clearTimeout(timer);
  }
};
