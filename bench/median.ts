/** The middle one of some figures, with the least and the greatest of them. */
export interface Spread {
  median: number;
  least: number;
  greatest: number;
}

/** The spread of at least one figure. */
export function spreadOf(figures: readonly number[]): Spread {
  return { median: medianOf(figures), least: Math.min(...figures), greatest: Math.max(...figures) };
}

/** The median of at least one figure. */
export function medianOf(figures: readonly number[]): number {
  const sorted = figures.toSorted((a, b) => a - b);
  const half = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}
