const [width, height] = [80, 20];

/** A line of values without axes, with gaps where a value is null; `label` says what it shows. */
export function Sparkline({ values, label }: { values: readonly (number | null)[]; label: string }) {
  const max = Math.max(...values.map(Number), 1);
  const step = width / Math.max(values.length - 1, 1);
  return (
    <svg
      class="sparkline"
      viewBox={`0 0 ${width} ${height}`}
      width={width}
      height={height}
      role="img"
      aria-label={label}
    >
      {partsOf(values).map((part) => {
        const points = part.map(
          ([i, value]) =>
            `${(i * step).toFixed(1)},${(height - 1.5 - (value / max) * (height - 3)).toFixed(1)}`,
        );
        const [start, end] = [part[0]![0] * step, part.at(-1)![0] * step];
        return (
          <>
            <polygon points={`${start},${height} ${points.join(' ')} ${end},${height}`} />
            {/* The last point twice, because a line of one point would not be drawn. */}
            <polyline points={[...points, points.at(-1)].join(' ')} />
          </>
        );
      })}
    </svg>
  );
}

/** The runs of values without a null between them, with their positions. */
function partsOf(values: readonly (number | null)[]): [position: number, value: number][][] {
  const parts: [number, number][][] = [];
  for (const [i, value] of values.entries()) {
    if (value === null) continue;
    if (i > 0 && values[i - 1] !== null) parts.at(-1)!.push([i, value]);
    else parts.push([[i, value]]);
  }
  return parts;
}
