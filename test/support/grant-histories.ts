import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { WorkflowHandle } from '@temporalio/client';
import { historyFromJSON, historyToJSON } from '@temporalio/common/lib/proto-utils.js';

type History = ReturnType<typeof historyFromJSON>;
/** Classes of protobufjs encode themselves. */
type MessageClass = { encode(message: History): { finish(): Uint8Array } };

const folder = fileURLToPath(new URL('../../workflows/histories/', import.meta.url));

/** True when the run is to write the histories anew: `RECORD_HISTORIES=1 npm test -- workflows/access-grant.test.ts`. */
const recording = process.env['RECORD_HISTORIES'] === '1';

/** Keeps the history as the example of a state, when this run is told to. */
export async function recordHistory(state: string, handle: WorkflowHandle): Promise<void> {
  if (!recording) return;
  const history = await handle.fetchHistory();
  const text = JSON.stringify(JSON.parse(historyToJSON(history)));
  await writeFile(join(folder, `${state}.json`), `${text}\n`);
}

/** The histories kept in the repository, by the state that each ends in. */
export async function keptHistories(): Promise<{ state: string; history: History }[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.json')).sort();
  return Promise.all(
    names.map(async (name) => ({
      state: name.slice(0, -'.json'.length),
      history: historyFromJSON(JSON.parse(await readFile(join(folder, name), 'utf8'))),
    })),
  );
}

/** Everything that a history says, payloads decoded: for looking for what must not be in it. */
export function readableText(history: History): string {
  const texts: string[] = [];
  const walk = (value: unknown): void => {
    if (typeof value === 'string') {
      texts.push(value, Buffer.from(value, 'base64').toString('utf8'));
    } else if (value !== null && typeof value === 'object') Object.values(value).forEach(walk);
  };
  walk(JSON.parse(historyToJSON(history)));
  return texts.join('\n');
}

/** Size in protobuf, as Temporal counts it. */
export function historyBytes(history: History): number {
  const { constructor } = Object.getPrototypeOf(history) as { constructor: MessageClass };
  return constructor.encode(history).finish().length;
}
