import { readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import {
  readAlertRules,
  readDashboardExpressions,
  selectorsOf,
  type AlertRule,
} from '../../test/support/prometheus.ts';

let rules: AlertRule[];
/** The entries under "Alerts" in docs/operations.md, by their headings. */
let runbook: Map<string, string>;

beforeAll(async () => {
  rules = await readAlertRules();
  const text = await readFile(new URL('../../docs/operations.md', import.meta.url), 'utf8');
  const [, alerts = ''] = /\n## Alerts\n([^]*?)(?=\n## |$)/.exec(text) ?? [];
  runbook = new Map(
    alerts
      .split('\n### ')
      .slice(1)
      .map((entry) => {
        const [heading = '', ...lines] = entry.split('\n');
        return [heading.trim(), lines.join('\n')];
      }),
  );
});

describe('the alert rules', () => {
  it('are each called by a name of their own, and there are some', () => {
    expect(rules.length).toBeGreaterThan(20);
    expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
  });

  it('compare figures in expressions that are PromQL', () => {
    for (const { expr } of rules) expect(selectorsOf(expr).length).toBeGreaterThan(0);
    expect(() => selectorsOf('sum(rate(x[5m])')).toThrow('No parse');
  });

  it('have each an entry in the runbook that says what it means, what is not affected and what to do, and no entry is without an alert', () => {
    expect([...runbook.keys()].sort()).toEqual(rules.map(({ alert }) => alert).sort());
    for (const [alert, entry] of runbook) {
      const parts = ['**Means.**', '**Not affected.**', '**Do.**'];
      expect([alert, ...parts.filter((part) => !entry.includes(part))]).toEqual([alert]);
    }
  });

  it('lead to their entry', () => {
    for (const { alert, annotations } of rules) {
      expect(annotations.runbook_url).toBe(`docs/operations.md#${alert.toLowerCase()}`);
    }
  });

  it('are read by the example configuration, under the job that they compare', async () => {
    const file = new URL('prometheus/prometheus.yml', import.meta.url);
    const config = parse(await readFile(file, 'utf8')) as {
      rule_files: string[];
      scrape_configs: { job_name: string; static_configs: { targets: string[] }[] }[];
    };
    expect(config.rule_files).toEqual(['alerts.yml']);
    const jobs = config.scrape_configs.map(({ job_name }) => job_name);
    const compared = rules.flatMap(({ expr }) =>
      selectorsOf(expr).flatMap(({ matchers }) => matchers.filter(({ label }) => label === 'job')),
    );
    expect(compared.map(({ value }) => value)).toEqual(jobs);
  });
});

describe('the dashboard', () => {
  it('shows figures by expressions that are PromQL', async () => {
    const expressions = await readDashboardExpressions();
    expect(expressions.length).toBeGreaterThan(5);
    for (const { expr } of expressions) expect(selectorsOf(expr).length).toBeGreaterThan(0);
  });
});
