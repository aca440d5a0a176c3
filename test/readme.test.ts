import { readFile, writeFile } from 'node:fs/promises';
import { expect, it } from '@jest/globals';
import { backofficeVariables } from '../services/backoffice/config.ts';
import { gateVariables } from '../services/gate/config.ts';
import { databaseVariables, processVariables } from '../services/shared/common-config.ts';
import { describeVariables, type Variables } from '../services/shared/config.ts';
import { policyVariables } from '../services/shared/policy-config.ts';
import { stackVariables } from '../services/stack/config.ts';
import { usageVariables } from '../services/usage/config.ts';
import { workerVariables } from '../services/worker/config.ts';

const readme = new URL('../README.md', import.meta.url);
const common: Variables = { ...processVariables, ...databaseVariables, ...policyVariables };

const tables: Readonly<Record<string, Variables>> = {
  common,
  backoffice: own(backofficeVariables),
  gate: own(gateVariables),
  usage: own(usageVariables),
  worker: own(workerVariables),
  stack: stackVariables,
};

/** What a service reads beyond what all of them do. */
function own(variables: Variables): Variables {
  return Object.fromEntries(Object.entries(variables).filter(([name]) => !(name in common)));
}

function withTables(text: string): string {
  return Object.entries(tables).reduce((filled, [name, variables]) => {
    const [start, end] = [`<!-- configuration:${name} -->`, `<!-- /configuration:${name} -->`];
    const [before, rest = ''] = filled.split(start);
    const after = rest.split(end)[1];
    if (before === undefined || after === undefined)
      throw new Error(`no table "${name}" in README.md`);
    const table = `| variable | default | meaning |\n| --- | --- | --- |\n${describeVariables(variables)}`;
    return `${before}${start}\n\n${table}\n\n${end}${after}`;
  }, text);
}

it('the configuration tables of the README say what the services read', async () => {
  const text = await readFile(readme, 'utf8');
  const expected = withTables(text);
  if (process.env['UPDATE_README'] === '1') await writeFile(readme, expected);
  else expect(text).toBe(expected);
});
