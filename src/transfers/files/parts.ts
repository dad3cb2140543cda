import { setImmediate as yieldToEventLoop } from 'node:timers/promises';

/** Bytes that are processed before the time is checked. */
const sliceBytes = 16 * 1024;
/** How long a file is processed before other requests of the web process get a turn, in milliseconds. */
const turnMs = 4;

/** Creates a function for a long task to call often: it lets other work of the process run once `turnMs` have passed. */
export function createTurns(): () => Promise<void> {
  let since = performance.now();
  return async () => {
    if (performance.now() - since < turnMs) return;
    await yieldToEventLoop();
    since = performance.now();
  };
}

/** The beginning of a stream, and the whole stream. */
export interface Peeked {
  /** At least the requested number of bytes, unless the file is shorter. */
  head: Buffer;
  /** Whether `head` is the whole file. */
  isWhole: boolean;
  /** The file from its first byte. */
  all: AsyncIterable<Buffer>;
}

/** Reads the first bytes of a stream. Ending `all` early ends the source. */
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

/** The first bytes of a stream as a stream, and whether there were more, once it is read. */
export function takeFirst(source: AsyncIterable<Buffer>, bytes: number) {
  let isCut = false;
  async function* take() {
    let left = bytes;
    for await (const part of source) {
      if (part.length > left) {
        isCut = true;
        if (left > 0) yield part.subarray(0, left);
        return;
      }
      left -= part.length;
      yield part;
    }
  }
  return { content: take(), isCut: () => isCut };
}

/** Splits a stream into small parts and lets other work run between them. */
export async function* splitIntoSlices(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const takeTurn = createTurns();
  for await (const part of source) {
    for (let at = 0; at < part.length; at += sliceBytes) {
      yield part.subarray(at, at + sliceBytes);
      await takeTurn();
    }
  }
}
