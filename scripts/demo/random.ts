/** Random numbers that are the same for the same seed, so that an interrupted start continues with the same data. */
export interface Random {
  /** From 0 to 1, without 1. */
  next(): number;
  /** An integer from 0 to `count` - 1. */
  below(count: number): number;
  /** A value by its weight. */
  pick<T>(weights: readonly (readonly [value: T, weight: number])[]): T;
  /** The number of events where `mean` are expected (Poisson). */
  count(mean: number): number;
  /** Characters of a hexadecimal number. */
  hex(length: number): string;
}

/** Creates a generator (mulberry32). */
export function createRandom(seed: number): Random {
  let state = seed;

  function next(): number {
    state = (state + 0x6d2b79f5) | 0;
    let value = Math.imul(state ^ (state >>> 15), 1 | state);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return ((value ^ (value >>> 14)) >>> 0) / 2 ** 32;
  }

  const below = (count: number) => Math.floor(next() * count);

  return {
    next,
    below,
    pick(weights) {
      let rest = next() * weights.reduce((sum, [, weight]) => sum + weight, 0);
      const found = weights.find(([, weight]) => (rest -= weight) < 0) ?? weights.at(-1)!;
      return found[0];
    },
    count(mean) {
      // A normal distribution is near enough above 30.
      if (mean > 30) return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal(next)));
      const limit = Math.exp(-mean);
      let events = -1;
      for (let product = 1; product > limit; events++) product *= next();
      return Math.max(0, events);
    },
    hex: (length) => Array.from({ length }, () => below(16).toString(16)).join(''),
  };
}

/** A value of the standard normal distribution (Box–Muller). */
const normal = (next: () => number) => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
