/** Splits a stream into chunks of `chunkBytes`, the last one shorter; buffers one chunk. */
export async function* splitIntoChunks(
  source: AsyncIterable<Buffer>,
  chunkBytes: number,
): AsyncGenerator<Buffer> {
  let parts: Buffer[] = [];
  let length = 0;
  for await (const given of source) {
    for (let rest = given; rest.length > 0;) {
      const part = rest.subarray(0, chunkBytes - length);
      parts.push(part);
      length += part.length;
      rest = rest.subarray(part.length);
      if (length < chunkBytes) continue;
      yield Buffer.concat(parts);
      parts = [];
      length = 0;
    }
  }
  if (length > 0) yield Buffer.concat(parts);
}
