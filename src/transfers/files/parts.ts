import { setImmediate as letOthersGoOn } from 'node:timers/promises';

/** What is looked at without a break, in bytes: a process that answers requests does it. */
const sliceBytes = 16 * 1024;

/** The begin of a file that comes in parts, and all of it again. */
export interface Peeked {
  /** At least as many bytes as were asked for, unless the file ends before. */
  head: Buffer;
  /** Whether that is all of the file. */
  isWhole: boolean;
  /** The file from its first byte on. */
  all: AsyncIterable<Buffer>;
}

/** Reads a file up to this byte. Ending `all` early ends the source. */
export async function peek(source: AsyncIterable<Buffer>, bytes: number): Promise<Peeked> {
  const parts = source[Symbol.asyncIterator]();
  const held: Buffer[] = [];
  let length = 0;
  let isWhole = false;
  while (length < bytes && !isWhole) {
    const { value, done } = await parts.next();
    if (done) isWhole = true;
    else {
      held.push(value);
      length += value.length;
    }
  }
  const head = Buffer.concat(held);
  async function* readAll() {
    try {
      if (head.length > 0) yield head;
      if (!isWhole) yield* { [Symbol.asyncIterator]: () => parts };
    } finally {
      await parts.return?.();
    }
  }
  return { head, isWhole, all: readAll() };
}

/** The same file in small parts, between which other work has its turn. */
export async function* inSlices(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  for await (const part of source) {
    for (let at = 0; at < part.length; at += sliceBytes) {
      yield part.subarray(at, at + sliceBytes);
      await letOthersGoOn();
    }
  }
}
