/** Cuts a stream into chunks of `chunkBytes` each, the last one shorter, and holds no more than one of them. */
export async function* cutIntoChunks(
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
