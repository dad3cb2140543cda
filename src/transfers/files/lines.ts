export const newline = 0x0a;

/** The first byte from `from` that is not an empty line. */
export function skipEmptyLines(bytes: Buffer, from: number): number {
  let at = from;
  while (bytes[at] === newline || (bytes[at] === 0x0d && bytes[at + 1] === newline)) at += 1;
  return at;
}

/** The byte after the line at `from`. */
export function endOfLine(bytes: Buffer, from: number): number {
  const found = bytes.indexOf(newline, from);
  return found < 0 ? bytes.length : found + 1;
}

/** The number of line ends between two bytes. */
export function countLines(bytes: Buffer, from: number, to: number): number {
  let count = 0;
  for (let at = bytes.indexOf(newline, from); at >= 0 && at < to; at = bytes.indexOf(newline, at + 1))
    count += 1;
  return count;
}
