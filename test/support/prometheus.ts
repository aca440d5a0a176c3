import { readFile } from 'node:fs/promises';
import { parser } from '@prometheus-io/lezer-promql';
import { parse } from 'yaml';
import { z } from 'zod';

const folder = new URL('../../infra/deploy/', import.meta.url);
const duration = z.string().regex(/^\d+[smhd]$/);

/** The shape of a file of Prometheus rules, as far as we use it; an unknown field is a fault, as it is for Prometheus. */
const rulesFile = z.strictObject({
  groups: z.array(
    z.strictObject({
      name: z.string().min(1),
      rules: z.array(
        z.strictObject({
          alert: z.string().regex(/^[A-Z][A-Za-z]+$/),
          expr: z.string().min(1),
          for: duration,
          labels: z.strictObject({ severity: z.enum(['critical', 'warning']) }),
          annotations: z.strictObject({ summary: z.string().min(1), runbook_url: z.string() }),
        }),
      ),
    }),
  ),
});
export type AlertRule = z.infer<typeof rulesFile>['groups'][number]['rules'][number];

const dashboardFile = z.looseObject({
  panels: z.array(
    z.looseObject({ title: z.string(), targets: z.array(z.looseObject({ expr: z.string() })) }),
  ),
});

/** Throws when the file is none that Prometheus would take. */
export async function readAlertRules(): Promise<AlertRule[]> {
  const text = await readFile(new URL('prometheus/alerts.yml', folder), 'utf8');
  return rulesFile.parse(parse(text)).groups.flatMap(({ rules }) => rules);
}

/** Of the dashboard, by the title of its panel. */
export async function readDashboardExpressions(): Promise<{ name: string; expr: string }[]> {
  const text = await readFile(new URL('grafana/certificate-access.json', folder), 'utf8');
  return dashboardFile
    .parse(JSON.parse(text))
    .panels.flatMap(({ title, targets }) => targets.map(({ expr }) => ({ name: title, expr })));
}

/** What an expression asks for: a figure, and what its labels are to be. */
export type Selector = {
  readonly metric: string;
  readonly matchers: readonly {
    readonly label: string;
    readonly op: string;
    readonly value: string;
  }[];
};

/** Throws when the expression is no PromQL. */
export function selectorsOf(expr: string): Selector[] {
  const selectors: { metric: string; matchers: Selector['matchers'][number][] }[] = [];
  const matcher = { label: '', op: '' };
  parser
    .configure({ strict: true })
    .parse(expr)
    .iterate({
      enter({ name, from, to }) {
        const text = expr.slice(from, to);
        if (name === 'VectorSelector') selectors.push({ metric: '', matchers: [] });
        const current = selectors.at(-1);
        if (current === undefined) return;
        if (name === 'Identifier' && current.metric === '') current.metric = text;
        if (name === 'LabelName' && text !== matcher.label) matcher.label = text;
        if (name === 'MatchOp') matcher.op = text;
        if (name === 'StringLiteral') {
          current.matchers.push({ ...matcher, value: JSON.parse(text) as string });
        }
      },
    });
  return selectors;
}

export function isMatch(
  { op, value }: Selector['matchers'][number],
  actual: string | undefined,
): boolean {
  const isSame = op.endsWith('~')
    ? new RegExp(`^(?:${value})$`).test(actual ?? '')
    : (actual ?? '') === value;
  return op.startsWith('!') ? !isSame : isSame;
}

export type Exposed = {
  readonly type: string;
  /** The labels of each series; none where nothing has happened yet. */
  readonly series: readonly Readonly<Record<string, string>>[];
};

/** Prometheus text format, by the name that an expression uses: a histogram is there as `_count`, `_sum` and `_bucket`. */
export function parseExposition(text: string): Map<string, Exposed> {
  const exposed = new Map<string, { type: string; series: Record<string, string>[] }>();
  for (const line of text.split('\n')) {
    const [, name = '', type = ''] = /^# TYPE (\S+) (\S+)/.exec(line) ?? [];
    if (name !== '') {
      const names = type === 'histogram' ? ['_count', '_sum', '_bucket'] : [''];
      for (const suffix of names) exposed.set(name + suffix, { type, series: [] });
      continue;
    }
    const [, metric = '', labels = ''] = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? \S+$/.exec(line) ?? [];
    const pairs = labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g);
    exposed
      .get(metric)
      ?.series.push(
        Object.fromEntries([...pairs].map(([, label = '', value = '']) => [label, value])),
      );
  }
  return exposed;
}
