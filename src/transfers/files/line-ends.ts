const cr = 0x0d;
const lf = 0x0a;
const quote = 0x22;

/** How far the first line end is looked for, in bytes. */
const farthest = 256 * 1024;

/** A file whose lines end with line feeds, with or without carriage returns before them. Those of the first one decide: if
 *  its lines end with carriage returns alone, as old Macs and Excel for them write, each becomes a line feed. */
export async function* withLineFeeds(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let isCrOnly: boolean | undefined;
  let isInQuotes = false;
  let seen = 0;
  // A carriage return at the end of a part: what follows it decides.
  let held: Buffer = Buffer.alloc(0);

  function look(bytes: Buffer): void {
    for (let at = 0; at < bytes.length - 1 && isCrOnly === undefined; at++) {
      if (bytes[at] === quote) isInQuotes = !isInQuotes;
      else if (!isInQuotes && bytes[at] === lf) isCrOnly = false;
      else if (!isInQuotes && bytes[at] === cr) isCrOnly = bytes[at + 1] !== lf;
    }
    seen += bytes.length;
    if (seen > farthest) isCrOnly ??= false;
  }

  for await (const part of source) {
    const bytes = held.length === 0 ? part : Buffer.concat([held, part]);
    held = isCrOnly === false ? Buffer.alloc(0) : bytes.subarray(bytes.length - 1);
    if (isCrOnly === undefined) look(bytes);
    const ready = bytes.subarray(0, bytes.length - held.length);
    if (isCrOnly) yield replace(ready, held[0]);
    else yield ready;
  }
  if (held.length > 0)
    yield isCrOnly || (isCrOnly === undefined && held[0] === cr) ? replace(held, undefined) : held;
}

/** Line feeds instead of carriage returns that have none behind them; `next` follows the bytes. */
function replace(bytes: Buffer, next: number | undefined): Buffer {
  if (!bytes.includes(cr)) return bytes;
  const replaced = Buffer.from(bytes);
  for (let at = replaced.indexOf(cr); at >= 0; at = replaced.indexOf(cr, at + 1)) {
    const following = at + 1 < replaced.length ? replaced[at + 1] : next;
    if (following !== lf) replaced[at] = lf;
  }
  return replaced;
}
