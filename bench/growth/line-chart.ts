import type { Spread } from '../median.ts';

const size = { width: 480, height: 260, left: 56, right: 20, top: 40, bottom: 52 };
const plotWidth = size.width - size.left - size.right;
const plotHeight = size.height - size.top - size.bottom;

/** An SVG line chart of medians with their spread, from 0, for light and dark pages. */
export function formatLineChart(chart: {
  title: string;
  yLabel: string;
  points: { label: string; y: Spread }[];
}): string {
  const { title, yLabel, points } = chart;
  const max = Math.max(...points.map(({ y }) => y.greatest), 1) * 1.1;
  const xOf = (i: number) => size.left + (plotWidth * (i + 0.5)) / points.length;
  const yOf = (value: number) => Math.round((size.top + plotHeight * (1 - value / max)) * 10) / 10;
  const ticks = Array.from({ length: 5 }, (_, i) => (max * i) / 4);
  const text = (x: number, y: number, anchor: string, words: string) =>
    `<text x="${x}" y="${y}" text-anchor="${anchor}">${words}</text>`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size.width} ${size.height}" width="${size.width}" height="${size.height}" role="img">`,
    `<title>${title}</title>`,
    '<style>text { font: 12px sans-serif; fill: #555 } .grid { stroke: #8884 } .line { stroke: #2563eb; stroke-width: 2; fill: none }' +
      ' @media (prefers-color-scheme: dark) { text { fill: #bbb } .line { stroke: #60a5fa } }</style>',
    text(size.left, 20, 'start', `${title}: ${yLabel}`),
    ...ticks.flatMap((value) => [
      `<line class="grid" x1="${size.left}" x2="${size.width - size.right}" y1="${yOf(value)}" y2="${yOf(value)}"/>`,
      text(size.left - 8, yOf(value) + 4, 'end', value.toFixed(1)),
    ]),
    `<polyline class="line" points="${points.map(({ y }, i) => `${xOf(i)},${yOf(y.median)}`).join(' ')}"/>`,
    ...points.flatMap(({ label, y }, i) => [
      `<line class="line" x1="${xOf(i)}" x2="${xOf(i)}" y1="${yOf(y.least)}" y2="${yOf(y.greatest)}"/>`,
      `<circle class="line" cx="${xOf(i)}" cy="${yOf(y.median)}" r="3"/>`,
      text(xOf(i) + 8, yOf(y.median) - 8, 'start', y.median.toFixed(2)),
      text(xOf(i), size.height - size.bottom + 20, 'middle', label),
    ]),
    '</svg>',
    '',
  ].join('\n');
}
