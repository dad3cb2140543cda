/** Cuts a stream into pieces of `pieceBytes` each, the last one shorter, and holds no more than one of them. */
export async function* cutIntoPieces(
  source: AsyncIterable<Buffer>,
  pieceBytes: number,
): AsyncGenerator<Buffer> {
  let parts: Buffer[] = [];
  let length = 0;
  for await (const given of source) {
    for (let rest = given; rest.length > 0;) {
      const part = rest.subarray(0, pieceBytes - length);
      parts.push(part);
      length += part.length;
      rest = rest.subarray(part.length);
      if (length < pieceBytes) continue;
      yield Buffer.concat(parts);
      parts = [];
      length = 0;
    }
  }
  if (length > 0) yield Buffer.concat(parts);
}
