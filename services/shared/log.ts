import { types } from 'node:util';
import {
  pino,
  type Bindings,
  type ChildLoggerOptions,
  type DestinationStream,
  type Logger,
} from 'pino';
import { Problem } from '../../domain/errors.ts';

export type { Logger } from 'pino';
export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

const redacted = '[redacted]';
const depthLimit = 8;
/**
 * Names whose values are never logged, at any depth; compared without case, `_` and `-`. `code` and `state` are those of OAuth: the code of a
 * problem is logged as `problem`, the state of a renewal as `renewalState`.
 */
const secretName =
  /^(pins?|otps?|sad|code|codeverifier|state|sealed|cookies?|setcookie|authorization|email|sessionid|.*(password|passphrase|secret|token|tokens|apikey|credentials|sealingkeys|databaseurl))$/;
const isSecretName = (name: string) => secretName.test(name.toLowerCase().replaceAll(/[_-]/g, ''));

/** Texts of errors of others may quote URLs: their passwords and query strings are taken out. */
const scrub = (text: string): string =>
  text
    .replaceAll(/([a-z][a-z0-9+.-]*:\/\/)[^\s/?#@]+@/gi, `$1${redacted}@`)
    .replaceAll(/((?:[a-z][a-z0-9+.-]*:\/)?\/[^\s?"'<>]*\?)[^\s"'<>]+/gi, `$1${redacted}`);

// Errors of Node itself are not `instanceof Error` where tests run in a realm of their own.
const isError = (value: unknown): value is Error =>
  value instanceof Error || types.isNativeError(value);

/** `ECONNREFUSED`, `ERR_SOCKET_CLOSED` or an SQLSTATE such as `23505`; nothing else that stands in a property `code`. */
export const systemCodeOf = (error: unknown): string | undefined => {
  const code: unknown = isError(error) && 'code' in error ? error.code : undefined;
  const isKnownShape =
    typeof code === 'string' && /^(E[A-Z0-9]+|[A-Z]+(_[A-Z0-9]+)+|[0-9A-Z]{5})$/.test(code);
  return isKnownShape ? code : undefined;
};

/** What is logged of an error: never its other properties, where libraries keep requests, headers and configuration. */
const presentError = (error: Error, depth: number): Record<string, unknown> => {
  const systemCode = systemCodeOf(error);
  return {
    name: error.name,
    ...(error instanceof Problem && { problem: error.code }),
    ...(systemCode !== undefined && { systemCode }),
    message: scrub(error.message),
    stack: scrub(error.stack ?? ''),
    ...(error.cause !== undefined && { cause: present(error.cause, depth + 1) }),
    ...('errors' in error && { errors: present(error.errors, depth + 1) }),
  };
};

/** Sockets, requests and clients are not data: only literals are looked into, whatever realm they come from. */
const isPlain = (value: object): boolean => {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
};

const present = (value: unknown, depth: number): unknown => {
  if (isError(value)) return presentError(value, depth);
  if (typeof value === 'bigint') return value.toString();
  if (value === null || typeof value !== 'object') return value;
  if (types.isDate(value)) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (value instanceof URL) return scrub(value.href);
  if (ArrayBuffer.isView(value)) return `[${String(value.byteLength)} bytes]`;
  if (depth >= depthLimit) return '[deep]';
  if (Array.isArray(value)) return value.map((item) => present(item, depth + 1));
  if (!isPlain(value)) return '[object]';
  return presentFields(value, depth);
};

const presentFields = (value: object, depth: number): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [
      name,
      isSecretName(name) && inner != null ? redacted : present(inner, depth + 1),
    ]),
  );

export type LogOptions = {
  readonly service: string;
  readonly level: LogLevel;
  /** Where lines go; tests read them. Standard output unless told. */
  readonly destination?: DestinationStream;
};

type MakeChild = (this: Logger, bindings: Bindings, options?: ChildLoggerOptions) => Logger;

/**
 * One line of JSON per event. What is logged is copied field by field instead of using pino's `redact`, whose paths reach only depths that are
 * spelled out and compare names with case.
 */
export const createLog = ({ service, level, destination }: LogOptions): Logger => {
  const log = pino(
    {
      level,
      base: { service },
      timestamp: pino.stdTimeFunctions.isoTime,
      // Errors are presented already; pino's own serializer would fold the messages of the causes into one.
      serializers: { err: (presented: unknown) => presented },
      formatters: {
        level: (label) => ({ level: label }),
        log: (fields) => presentFields(fields, 0),
      },
      hooks: {
        logMethod(args, method) {
          const [first, second] = args as unknown[];
          // pino would take the message of the error as it is.
          if (isError(first))
            method.apply(this, [
              { err: first },
              typeof second === 'string' ? second : scrub(first.message),
            ]);
          else method.apply(this, args);
        },
      },
    },
    destination ?? pino.destination(1),
  );
  // Children are made from this object, so theirs is the same; pino does not pass their fields through its formatters.
  const makeChild: unknown = Reflect.get(log, 'child');
  const childOfPresented: MakeChild = function (bindings, options) {
    return (makeChild as MakeChild).call(this, presentFields(bindings, 0), options);
  };
  return Object.assign(log, { child: childOfPresented });
};
