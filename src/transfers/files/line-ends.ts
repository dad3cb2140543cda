const cr = 0x0d;
const lf = 0x0a;
const quote = 0x22;

/** Bytes in which the first line end is searched. */
const searchBytes = 256 * 1024;

/** Converts carriage returns to line feeds in a file whose first line ends with a carriage return only, as Excel for Mac writes it. Other files
 *  are passed through. */
export async function* withLineFeeds(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let isCrOnly: boolean | undefined;
  let isInQuotes = false;
  let seen = 0;
  // The last byte of a part: for a carriage return, the next part decides.
  let held: Buffer = Buffer.alloc(0);

  function detect(bytes: Buffer): void {
    for (let at = 0; at < bytes.length - 1 && isCrOnly === undefined; at++) {
      if (bytes[at] === quote) isInQuotes = !isInQuotes;
      else if (!isInQuotes && bytes[at] === lf) isCrOnly = false;
      else if (!isInQuotes && bytes[at] === cr) isCrOnly = bytes[at + 1] !== lf;
    }
    seen += bytes.length;
    if (seen > searchBytes) isCrOnly ??= false;
  }

  for await (const part of source) {
    const bytes = held.length === 0 ? part : Buffer.concat([held, part]);
    held = isCrOnly === false ? Buffer.alloc(0) : bytes.subarray(bytes.length - 1);
    if (isCrOnly === undefined) detect(bytes);
    const ready = bytes.subarray(0, bytes.length - held.length);
    if (isCrOnly) yield replace(ready, held[0]);
    else yield ready;
  }
  if (held.length > 0)
    yield isCrOnly || (isCrOnly === undefined && held[0] === cr) ? replace(held, undefined) : held;
}

/** Replaces carriage returns without a following line feed; `next` is the byte after these. */
function replace(bytes: Buffer, next: number | undefined): Buffer {
  if (!bytes.includes(cr)) return bytes;
  const replaced = Buffer.from(bytes);
  for (let at = replaced.indexOf(cr); at >= 0; at = replaced.indexOf(cr, at + 1)) {
    const following = at + 1 < replaced.length ? replaced[at + 1] : next;
    if (following !== lf) replaced[at] = lf;
  }
  return replaced;
}
