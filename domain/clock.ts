/** The one clock: PostgreSQL's, followed by each process (DESIGN 2); tests inject theirs. */
export type Clock = { now(): Date };
