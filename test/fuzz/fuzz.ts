import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Guardian } from '../../infra/development/guardian.ts';
import { operationsOf, readApiDocument, type Operation } from '../support/api-document.ts';
import { fuzzConfiguration, type Phase } from './config.ts';
import type { FuzzWorld } from './world.ts';

export type FuzzOptions = {
  readonly guardian: Guardian;
  /** Where Python finds Schemathesis. */
  readonly installed: string;
  /** For configuration and report. */
  readonly folder: string;
  readonly url: string;
  readonly world: FuzzWorld;
  /** The header that tells who asks, where it is no session. */
  readonly authorization?: string;
  readonly seed: number;
  /** Of each call. */
  readonly mostExamples: number;
  readonly phases?: readonly Phase[];
};

const reportSchema = z.object({
  test_cases: z.object({ generated: z.int(), unique_failures: z.int() }),
  errors: z.array(z.object({ title: z.string() })),
  valid_rates: z.record(z.string(), z.record(z.string(), z.object({ accepted: z.int() }))),
});

export type FuzzReport = {
  readonly requestCount: number;
  /** In words, with the request that shows it; empty when nothing was found. */
  readonly findings: string;
  /** Calls of which no request at all was carried out, so that little is known of them. */
  readonly neverAccepted: readonly string[];
};

/** The document itself is only read; a stream of events never ends, its answers have a test of their own. */
const notAsked = ['GET /openapi.json', 'GET /api/events'];

/** Tries every call of a service's OpenAPI document with what fits it and what does not, and judges the answers by the document. */
export async function fuzz(options: FuzzOptions): Promise<FuzzReport> {
  const operations = operationsOf(await readApiDocument(options.url));
  const reports: PhaseReport[] = [];
  for (const phase of options.phases ?? (['coverage', 'fuzzing'] as const)) {
    reports.push(await runPhase(options, operations, phase));
  }
  const isCarriedOut = (call: string): boolean =>
    reports.some(({ accepted }) => (accepted.get(call) ?? 0) > 0);
  return {
    requestCount: reports.reduce((sum, { requestCount }) => sum + requestCount, 0),
    findings: reports.map(({ findings }) => findings).join(''),
    neverAccepted: operations
      .map(({ name }) => name)
      .filter((name) => !notAsked.includes(name) && !isCarriedOut(name)),
  };
}

type PhaseReport = {
  readonly requestCount: number;
  readonly findings: string;
  /** How many requests were carried out, by call. */
  readonly accepted: ReadonlyMap<string, number>;
};

async function runPhase(
  options: FuzzOptions,
  operations: readonly Operation[],
  phase: Phase,
): Promise<PhaseReport> {
  const { guardian, installed, url, world, authorization, seed, mostExamples } = options;
  const folder = join(options.folder, phase);
  await mkdir(folder, { recursive: true });
  const configuration = join(folder, 'schemathesis.toml');
  await writeFile(configuration, fuzzConfiguration(operations, world, phase), { mode: 0o600 });
  const reportFile = join(folder, 'report.json');
  const output: string[] = [];
  const running = await guardian.start({
    name: 'Schemathesis',
    command: 'python3',
    args: [
      ...['-m', 'schemathesis.cli', '--config-file', configuration],
      ...['run', `${url}/openapi.json`, '--phases', phase, '--checks', 'all'],
      ...['--seed', String(seed), '--max-examples', String(mostExamples)],
      ...['--continue-on-failure', '--no-shrink', '--generation-database', 'none'],
      ...['--request-timeout', '20', '--no-color', '--suppress-health-check', 'all'],
      ...['--report', 'json', '--report-json-path', reportFile],
      ...operations
        .filter(({ name }) => notAsked.includes(name))
        .flatMap(({ name }) => ['--exclude-name', name]),
      ...(authorization === undefined ? [] : ['--header', `Authorization: ${authorization}`]),
    ],
    cwd: folder,
    env: { PYTHONPATH: installed, PYTHONDONTWRITEBYTECODE: '1', PYTHONIOENCODING: 'utf-8' },
    onLine: (line) => output.push(line),
  });
  const { code } = await running.exited;
  const written = await readFile(reportFile, 'utf8').catch(() => undefined);
  if (written === undefined) throw new Error(`Schemathesis made no report: ${output.join('\n')}`);
  const report = reportSchema.parse(JSON.parse(written));
  const isClean =
    code === 0 && report.errors.length === 0 && report.test_cases.unique_failures === 0;
  return {
    requestCount: report.test_cases.generated,
    findings: isClean ? '' : output.join('\n'),
    accepted: new Map(
      Object.entries(report.valid_rates).map(([call, phases]) => [
        call,
        phases[phase]?.accepted ?? 0,
      ]),
    ),
  };
}
