/** Round values from 0 to at least `max`, at most `count` + 1 of them. */
export function ticksTo(max: number, count = 4): number[] {
  const rough = Math.max(max, 1) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = Math.max(1, [1, 2, 5, 10].find((factor) => factor * power >= rough)! * power);
  return Array.from({ length: Math.ceil(Math.max(max, 1) / step) + 1 }, (_, i) => i * step);
}

/** Positions of at most `count` labels among `length` values, evenly spaced, the last one included. */
export function labelsAmong(length: number, count: number): number[] {
  const step = Math.max(1, Math.ceil(length / Math.max(count, 1)));
  return Array.from({ length: Math.ceil(length / step) }, (_, i) => length - 1 - i * step).toReversed();
}
