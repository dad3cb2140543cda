import { useEffect, useRef, useState } from 'preact/hooks';
import { chartTexts as texts } from '../texts/en/charts.ts';
import { formatCompact, formatNumber } from '../ui/format.ts';
import { labelsAmong, ticksTo } from './scale.ts';

const height = 220;
const margin = { top: 12, right: 12, bottom: 24, left: 44 };
const labelWidth = 90;

interface Point {
  /** Such as "12 Nov". */
  label: string;
  value: number;
}

/** Width of an element in pixels, as it changes. */
function useWidth<T extends Element>(initial: number) {
  const ref = useRef<T>(null);
  const [width, setWidth] = useState(initial);
  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => setWidth(Math.max(entry!.contentRect.width, 200)));
    observer.observe(ref.current!);
    return () => observer.disconnect();
  }, []);
  return { ref, width };
}

/** An area chart with a cursor for pointer and arrow keys, and the same values as a table. */
export function TimeChart({ points, title }: { points: readonly Point[]; title: string }) {
  const { ref, width } = useWidth<HTMLDivElement>(720);
  const [at, setAt] = useState<number>();
  const [hasTable, setTable] = useState(false);
  const ticks = ticksTo(Math.max(...points.map(({ value }) => value), 0));
  const max = ticks.at(-1)!;
  const inner = { width: width - margin.left - margin.right, height: height - margin.top - margin.bottom };
  const x = (i: number) =>
    margin.left + (points.length < 2 ? inner.width / 2 : (i * inner.width) / (points.length - 1));
  const y = (value: number) => margin.top + inner.height * (1 - value / max);
  const line = points.map(({ value }, i) => `${x(i).toFixed(1)},${y(value).toFixed(1)}`).join(' ');
  const bottom = margin.top + inner.height;
  const last = points.length - 1;
  const shown = at === undefined ? undefined : points[at];

  const moveBy: Record<string, number> = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity };
  const onKey = (event: KeyboardEvent) => {
    const step = moveBy[event.key];
    if (step === undefined) return;
    event.preventDefault();
    setAt(Math.min(Math.max((at ?? last) + step, 0), last));
  };
  const onPointer = (event: PointerEvent) => {
    const { left } = (event.currentTarget as Element).getBoundingClientRect();
    const share = (event.clientX - left - margin.left) / inner.width;
    setAt(Math.min(Math.max(Math.round(share * last), 0), last));
  };

  return (
    <figure class="chart" ref={ref}>
      <figcaption>
        <span>{shown ? shown.label : title}</span>
        <strong>{shown && texts.clicks(formatNumber(shown.value))}</strong>
        <span class="grow" />
        <button
          type="button"
          class="small quiet-button"
          aria-pressed={hasTable}
          onClick={() => setTable(!hasTable)}
        >
          {texts.table}
        </button>
      </figcaption>
      <svg
        width={width}
        height={height}
        viewBox={`0 0 ${width} ${height}`}
        role="slider"
        tabIndex={0}
        aria-label={title}
        aria-valuemin={0}
        aria-valuemax={Math.max(last, 0)}
        aria-valuenow={at ?? Math.max(last, 0)}
        aria-valuetext={shown ? `${shown.label}: ${texts.clicks(formatNumber(shown.value))}` : title}
        onKeyDown={onKey}
        onPointerMove={onPointer}
        onPointerLeave={() => setAt(undefined)}
        onBlur={() => setAt(undefined)}
      >
        {ticks.map((tick) => (
          <g key={tick} class="tick">
            <line x1={margin.left} x2={width - margin.right} y1={y(tick)} y2={y(tick)} />
            <text x={margin.left - 8} y={y(tick) + 4} text-anchor="end">
              {formatCompact(tick)}
            </text>
          </g>
        ))}
        {labelsAmong(points.length, inner.width / labelWidth).map((i) => (
          <text
            key={i}
            class="tick"
            x={x(i)}
            y={height - 6}
            text-anchor={i === last && last > 0 ? 'end' : 'middle'}
          >
            {points[i]!.label}
          </text>
        ))}
        <polygon class="area" points={`${x(0)},${bottom} ${line} ${x(Math.max(last, 0))},${bottom}`} />
        <polyline class="line" points={line} />
        {shown && (
          <g class="cursor">
            <line x1={x(at!)} x2={x(at!)} y1={margin.top} y2={bottom} />
            <circle cx={x(at!)} cy={y(shown.value)} r={4} />
          </g>
        )}
      </svg>
      <div class={hasTable ? 'chart-table' : 'visually-hidden'} tabIndex={hasTable ? 0 : undefined}>
        <table>
          <caption class="visually-hidden">{title}</caption>
          <thead>
            <tr>
              <th scope="col">{texts.time}</th>
              <th scope="col" class="number">
                {texts.clicksColumn}
              </th>
            </tr>
          </thead>
          <tbody>
            {points.map(({ label, value }) => (
              <tr key={label}>
                <td>{label}</td>
                <td class="number">{formatNumber(value)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </figure>
  );
}
