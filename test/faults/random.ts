/** Numbers that follow from a seed alone. */
export type Random = {
  /** In [0, 1). */
  next(): number;
  /** Whole, from `least` to `most`, both included. */
  whole(least: number, most: number): number;
  pick<const Choices extends readonly unknown[]>(choices: Choices): Choices[number];
  /** True with this probability. */
  chance(probability: number): boolean;
};

/** mulberry32: 32 bits of state, which is plenty for a plan of a few hundred draws. */
export function randomOf(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const whole = (least: number, most: number): number =>
    least + Math.floor(next() * (most - least + 1));
  return {
    next,
    whole,
    pick: (choices) => choices[whole(0, choices.length - 1)],
    chance: (probability) => next() < probability,
  };
}
