import { parseArgs } from 'node:util';
import { UsageError, type Command, type Given } from './command.ts';

export type ParsedArguments = {
  readonly values: Omit<Given, 'secret'>;
  readonly secretByStdin: boolean;
};

/** Throws a UsageError for an option that is unknown, missing or without value. */
export function parseArguments(command: Command, args: readonly string[]): ParsedArguments {
  const { secret } = command;
  const found = parseOrThrow({
    args: [...args],
    options: {
      ...Object.fromEntries(
        Object.entries(command.options).map(([name, { multiple = false }]) => [
          name,
          { type: 'string' as const, multiple },
        ]),
      ),
      ...(secret && { [secret.flag]: { type: 'boolean' as const } }),
    },
  });
  const missing = Object.entries(command.options)
    .filter(([name, option]) => option.required === true && found[name] === undefined)
    .map(([name]) => `--${name}`);
  if (missing.length > 0) throw new UsageError(`${missing.join(', ')} must be given.`);
  const all = (name: string): string[] | undefined => {
    const value = found[name];
    if (value === undefined) return undefined;
    return [value].flat().map(String);
  };
  return {
    values: {
      all,
      optional: (name) => all(name)?.[0],
      text: (name) => all(name)?.[0] ?? '',
    },
    secretByStdin: secret !== undefined && found[secret.flag] === true,
  };
}

type Config = NonNullable<Parameters<typeof parseArgs>[0]>;

function parseOrThrow(
  config: Config,
): Readonly<Record<string, string | boolean | (string | boolean)[] | undefined>> {
  try {
    return parseArgs(config).values;
  } catch (error) {
    // Node's own text goes on about how to write positionals; its first sentence says what is wrong.
    const [sentence = ''] = (error as Error).message.split(/(?<=\.) |\n/);
    throw new UsageError(sentence.replace(/\.?$/, '.'));
  }
}
