import { createHash } from 'node:crypto';

export type Random = ReturnType<typeof createRandom>;

/** Pseudo-random choices that depend only on the seed. */
export function createRandom(seed: string) {
  let state = createHash('sha256').update(seed).digest().readUInt32LE();
  /** Mulberry32: returns a number of [0, 1). */
  function next(): number {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }
  return {
    next,
    /** An integer from `least` to `most`. */
    between: (least: number, most: number) => least + Math.floor(next() * (most - least + 1)),
    pick: <T>(list: readonly T[]): T => list[Math.floor(next() * list.length)]!,
  };
}

/** Picks from a list by Zipf's law: the second item half as often as the first, the third a third as often, … */
export function createZipf<T>(list: readonly T[], { next }: Random): () => T {
  const sums: number[] = [];
  for (const i of list.keys()) sums.push((sums.at(-1) ?? 0) + 1 / (i + 1));
  return () => {
    const point = next() * sums.at(-1)!;
    return list[sums.findIndex((sum) => point < sum)]!;
  };
}
