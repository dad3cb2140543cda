/** Formats a Markdown table with aligned columns; all but the first are aligned to the right. */
export function formatMarkdownTable(columns: string[], rows: string[][]): string {
  const widths = columns.map((name, i) => Math.max(name.length, ...rows.map((line) => line[i]!.length)));
  const format = (line: string[]) =>
    `| ${line.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join(' | ')} |`;
  const rule = `|${widths.map((width, i) => (i === 0 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`)).join('|')}|`;
  return [format(columns), rule, ...rows.map(format)].join('\n');
}
