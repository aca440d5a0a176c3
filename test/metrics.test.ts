import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { waitUntil } from '../infra/development/wait-until.ts';
import {
  isMatch,
  parseExposition,
  readAlertRules,
  readDashboardExpressions,
  selectorsOf,
  type Exposed,
} from './support/prometheus.ts';
import { startSystem, type System } from './support/system.ts';

type Figures = ReadonlyMap<string, Exposed>;
const services = ['backoffice', 'gate', 'usage', 'worker'] as const;

let system: System;
let figures: Readonly<Record<(typeof services)[number], Figures>>;

beforeAll(async () => {
  system = await startSystem({ name: 'metrics' });
  // The figures about facts are counted, and usage has its partitions.
  await waitUntil(
    async () =>
      (await read('worker')).get('outbox_oldest_seconds')?.series.length === 4 &&
      (await read('usage')).get('usage_lag_records')?.series.length === 8,
    { what: 'the figures are not there', deadlineMs: 30_000, intervalMs: 200 },
  );
  const all = await Promise.all(
    services.map(async (service) => [service, await read(service)] as const),
  );
  figures = Object.fromEntries(all) as typeof figures;
});
afterAll(() => system.stop());

async function read(service: (typeof services)[number]): Promise<Figures> {
  const response = await fetch(`${system.urls[service]}/metrics`);
  expect(response.status).toBe(200);
  return parseExposition(await response.text());
}

/** What Prometheus itself makes. */
const ofPrometheus = new Set(['up']);

describe('the figures of the running services', () => {
  it('are all that alerts and dashboard ask for, with the labels and values that they compare', async () => {
    const rules = (await readAlertRules()).map(({ alert, expr }) => ({ name: alert, expr }));
    const missing: string[] = [];
    for (const { name, expr } of [...rules, ...(await readDashboardExpressions())]) {
      for (const { metric, matchers } of selectorsOf(expr)) {
        if (ofPrometheus.has(metric)) continue;
        const exposed = services.flatMap((service) => figures[service].get(metric) ?? []);
        if (exposed.length === 0) missing.push(`${name}: ${metric}`);
        const series = exposed.flatMap((each) => each.series);
        // Events that have not happened yet have no series.
        if (series.length === 0) continue;
        for (const matcher of matchers) {
          const isThere = series.some((labels) => isMatch(matcher, labels[matcher.label]));
          const isNamed = series.some((labels) => matcher.label in labels);
          if (!isNamed || (matcher.op === '=' && !isThere && matcher.label !== 'status')) {
            missing.push(`${name}: ${metric}{${matcher.label}${matcher.op}${matcher.value}}`);
          }
        }
      }
    }
    expect(missing).toEqual([]);
  });

  it.each(services)('of %s tell of its clock, its connections and its requests', (service) => {
    for (const name of [
      'clock_skew_seconds',
      'clock_measured_age_seconds',
      'clock_jumps',
      'postgres_reachable',
      'postgres_pool_connections',
      'postgres_pool_waiting',
      'http_request_duration_seconds_count',
    ]) {
      expect([name, figures[service].get(name)?.series.length]).not.toEqual([name, undefined]);
    }
  });

  it('hold no id, no address and no name in a label', () => {
    const odd = services.flatMap((service) =>
      [...figures[service].values()].flatMap(({ series }) =>
        series.flatMap((labels) =>
          Object.values(labels).filter((value) => /@|[0-9a-f]{8}-[0-9a-f]{4}-|\s/.test(value)),
        ),
      ),
    );
    expect(odd).toEqual([]);
  });

  it('are told of the parts that a service is ready without', async () => {
    const told = await Promise.all(
      services.map(async (service) => {
        const response = await fetch(`${system.urls[service]}/readyz`);
        const { dependencies } = (await response.json()) as {
          dependencies: Record<string, { required: boolean }>;
        };
        const named = (isRequired: boolean) =>
          Object.keys(dependencies).filter((name) => dependencies[name]?.required === isRequired);
        return [service, named(true), named(false)];
      }),
    );
    expect(told).toEqual([
      ['backoffice', ['postgres', 'clock'], ['temporal', 'sealing_keys', 'ca']],
      ['gate', ['postgres', 'clock', 'picture'], ['ca', 'sealing_keys']],
      ['usage', ['postgres', 'clock', 'kafka'], ['temporal']],
      ['worker', ['postgres', 'clock', 'temporal'], ['kafka', 'mail', 'ca', 'sealing_keys']],
    ]);
  });
});
