import { createRequire } from 'node:module';

const patched = new WeakSet<object>();

/**
 * The prototype of a class of kafkajs 2.2.4 that it does not export, to mend what nobody mends there any more (reference/kafka.md 1.3). Undefined when it was
 * asked for before, or when another version is installed: that one is left as it is.
 */
export function unpatchedPrototypeOf<Prototype extends object>(path: string): Prototype | undefined {
  const require = createRequire(import.meta.url);
  const { version } = require('kafkajs/package.json') as { version: string };
  if (version !== '2.2.4') return undefined;
  const { prototype } = require(`kafkajs/src/${path}`) as { prototype: Prototype };
  if (patched.has(prototype)) return undefined;
  patched.add(prototype);
  return prototype;
}
