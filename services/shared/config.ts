import { z } from 'zod';

/** One environment variable: what it means, what it may be, what it is when unset. */
export type Variable<S extends z.ZodType = z.ZodType> = {
  readonly description: string;
  readonly schema: S;
  readonly default?: string;
  /** Used where NODE_ENV is `development` or `test`; in production the variable has to be set, and to something else. */
  readonly developmentDefault?: string;
  /** What of a value is not good enough for production, though it is well-formed; shown, so without the value. */
  readonly productionFault?: (value: z.output<S>) => string | undefined;
  /** Its value is shown nowhere. */
  readonly secret?: boolean;
  /** Set to anything but its default it is refused unless NODE_ENV is `test`. */
  readonly testOnly?: boolean;
};
export type Variables = Readonly<Record<string, Variable>>;
export type ConfigOf<V extends Variables> = { readonly [K in keyof V]: z.output<V[K]['schema']> };
export type Environment = Readonly<Record<string, string | undefined>>;

export const variable = <S extends z.ZodType>(
  description: string,
  schema: S,
  options: Omit<Variable<S>, 'description' | 'schema'> = {},
): Variable<S> => ({ description, schema, ...options });

/** Everything that is wrong with the configuration, a line for each variable; without their values. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(`The configuration is not valid:\n${faults.map((fault) => `  ${fault}`).join('\n')}`);
    this.faults = faults;
  }
}

export const nodeEnvironments = ['production', 'development', 'test'] as const;

/**
 * The configuration by the names of its variables. A variable set to nothing counts as unset. Throws one ConfigError for all faults.
 */
export const parseConfig = <const V extends Variables>(
  variables: V,
  env: Environment,
): ConfigOf<V> => {
  const isProduction = !['development', 'test'].includes(env['NODE_ENV'] ?? '');
  const faults: string[] = [];
  const config: Record<string, unknown> = {};
  for (const [name, declared] of Object.entries(variables)) {
    const result =
      declared.testOnly === true && env['NODE_ENV'] !== 'test'
        ? parseTestOnly(declared, env[name])
        : parseVariable(declared, env[name], isProduction);
    if (result.success) config[name] = result.value;
    else faults.push(`${name}: ${result.fault} (${declared.description})`);
  }
  if (faults.length > 0) throw new ConfigError(faults);
  return config as ConfigOf<V>;
};

type Parsed = { success: true; value: unknown } | { success: false; fault: string };

const parseTestOnly = (declared: Variable, given = ''): Parsed =>
  given === '' || given === declared.default
    ? parseVariable(declared, declared.default, false)
    : { success: false, fault: 'is accepted where NODE_ENV is test, nowhere else' };

const parseVariable = (
  declared: Variable,
  given: string | undefined,
  isProduction: boolean,
): Parsed => {
  const { schema, developmentDefault } = declared;
  if (isProduction && developmentDefault !== undefined && given?.includes(developmentDefault))
    return { success: false, fault: 'the development value is not for production' };
  const fallback = declared.default ?? (isProduction ? undefined : developmentDefault);
  const value = given === undefined || given === '' ? fallback : given;
  const parsed = schema.safeParse(value);
  if (parsed.success) {
    const weakness = isProduction ? declared.productionFault?.(parsed.data) : undefined;
    if (weakness !== undefined) return { success: false, fault: weakness };
    return { success: true, value: parsed.data };
  }
  if (value === undefined) return { success: false, fault: 'is required' };
  return {
    success: false,
    fault: parsed.error.issues.map((issue) => issue.message).join('; '),
  };
};

/** For main.ts: as parseConfig, but a fault is printed and ends the process with 1. */
export const parseConfigOrExit = <const V extends Variables>(
  variables: V,
  env: Environment,
): ConfigOf<V> => {
  try {
    return parseConfig(variables, env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  }
};

/** Rows of a Markdown table: name, default, meaning. */
export const describeVariables = (variables: Variables): string =>
  Object.entries(variables)
    .map(
      ([name, declared]) => `| \`${name}\` | ${shownDefault(declared)} | ${declared.description} |`,
    )
    .join('\n');

const shownDefault = (declared: Variable): string => {
  if (declared.default !== undefined) return `\`${declared.default}\``;
  if (declared.developmentDefault === undefined)
    return declared.schema.safeParse(undefined).success ? 'none' : 'required';
  const shown = declared.secret ? 'one of its own' : `\`${declared.developmentDefault}\``;
  return `required; in development ${shown}`;
};

/** Seconds, before or after. */
export const signedSeconds = z
  .string()
  .regex(/^-?\d{1,6}$/, 'a whole number of seconds is expected')
  .transform(Number);
/** A whole number within bounds, both included. */
export const wholeNumber = (least: number, most: number) =>
  z
    .string()
    .regex(/^\d{1,15}$/, 'a whole number is expected')
    .transform(Number)
    .pipe(
      z
        .number()
        .min(least, `at least ${String(least)} is expected`)
        .max(most, `at most ${String(most)} is expected`),
    );
export const portNumber = wholeNumber(0, 65_535);
/** `1` or `0`. */
export const flag = z.enum(['0', '1'], '0 or 1 is expected').transform((value) => value === '1');
export const nonEmpty = z.string().min(1, 'a value is expected');
/** An absolute URL of one of the schemes, as written. */
export const urlOf = (...schemes: readonly string[]) =>
  z.string().refine(
    (value) => {
      return URL.canParse(value) && schemes.includes(new URL(value).protocol.slice(0, -1));
    },
    `a URL starting with ${schemes.map((scheme) => `${scheme}://`).join(' or ')} is expected`,
  );
/** Values with commas between them, at least one. */
export const commaList = z
  .string()
  .transform((value) => value.split(',').map((item) => item.trim()))
  .refine((items) => items.every((item) => item !== ''), 'values separated by commas are expected');
