import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../../', import.meta.url));

export type Folders = {
  /** Temporal and Kafka as fetched, shared by every stack of this checkout. */
  readonly tools: string;
  /** What a start keeps and `--fresh` removes. */
  readonly data: string;
  readonly logs: string;
  readonly stackFile: string;
  /** Variables for `npm run admin`, to be sourced by a shell. */
  readonly environmentFile: string;
  /** Held while a stack runs here. */
  readonly lock: string;
  /** There from the start of a stack to its orderly end. */
  readonly marker: string;
};

/** Where everything of one stack lies; `folder` is relative to the checkout. */
export function foldersOf(folder: string): Folders {
  const base = resolve(root, folder);
  return {
    tools: join(root, '.local'),
    data: join(base, 'data'),
    logs: join(base, 'logs'),
    stackFile: join(base, 'stack.json'),
    environmentFile: join(base, 'stack.env'),
    lock: join(base, 'stack.lock'),
    marker: join(base, 'stack.running'),
  };
}
