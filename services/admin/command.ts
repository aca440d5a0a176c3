import type { Clock } from '../../domain/clock.ts';
import type { Database } from '../../infra/postgres/pool.ts';
import type { Sealer } from '../../infra/postgres/sealing.ts';
import type { Administration } from '../shared/administration.ts';

/** A value of the command line, given as `--name value`. */
type Option = {
  readonly description: string;
  readonly required?: true;
  /** May be given more than once. */
  readonly multiple?: true;
};

/** A secret never stands in the arguments, which every user of the machine can list: it comes by standard input or by a variable. */
type Secret = {
  readonly description: string;
  /** `--<flag>` reads it from standard input. */
  readonly flag: string;
  readonly variable: 'OPERATOR_PASSWORD' | 'CA_CLIENT_SECRET';
  readonly required?: true;
};

export type Given = {
  /** Of an option that is required, or was given. */
  text(name: string): string;
  optional(name: string): string | undefined;
  all(name: string): string[] | undefined;
  readonly secret: string | undefined;
};

export type Command = {
  readonly summary: string;
  readonly options: Readonly<Record<string, Option>>;
  readonly secret?: Secret;
  /** Seals or opens something, so needs SEALING_KEYS. */
  readonly seals?: true;
  /** Answers what is printed as JSON. */
  readonly run: (
    administration: Administration,
    given: Given,
    parts: CommandParts,
  ) => Promise<unknown>;
};

/** What the few commands work with that enter nothing. */
export type CommandParts = {
  readonly database: Database;
  readonly clock: Clock;
  /** Where the command seals. */
  readonly sealer: Sealer | undefined;
  /** Tells how far a long command is. */
  readonly progress: (said: unknown) => void;
};

/** What is wrong with the command line, in a sentence. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** The command did its work and what it found is not good: the result is printed all the same, the sentence too, and the exit code is 1. */
export class BadFinding extends Error {
  override readonly name = 'BadFinding';
  readonly result: unknown;

  constructor(result: unknown, sentence: string) {
    super(sentence);
    this.result = result;
  }
}

export const required = (description: string): Option => ({ description, required: true });
export const optional = (description: string): Option => ({ description });
export const ofAccount = { account: optional('only of this account (id or name)') };
export const done = async (work: Promise<void>): Promise<unknown> => {
  await work;
  return { done: true };
};
