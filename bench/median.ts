/** The median of some numbers, with their minimum and maximum. */
export interface Spread {
  median: number;
  least: number;
  greatest: number;
}

/** Returns the spread of at least one number. */
export function spreadOf(figures: readonly number[]): Spread {
  return { median: medianOf(figures), least: Math.min(...figures), greatest: Math.max(...figures) };
}

/** Returns the median of at least one number. */
export function medianOf(figures: readonly number[]): number {
  const sorted = figures.toSorted((a, b) => a - b);
  const half = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}
