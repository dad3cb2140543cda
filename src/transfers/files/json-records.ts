import { names } from '../formats/format.ts';
import { UploadRejected } from '../transfer.ts';
import { splitIntoSlices } from './parts.ts';

/** Names of lists of short URLs in APIs and exports, also nested. */
const listNames: ReadonlySet<string> = new Set(
  names('links data result results items urls shortUrls short_urls bitlinks aliases'),
);

/** Bytes that are read of an object; a longer row is rejected. */
const maxObjectBytes = 80 * 1024;

const truncated = 'The JSON document is damaged or ends here.\n';

const code = (character: string) => character.charCodeAt(0);
const [quote, backslash, comma, colon] = ['"', '\\', ',', ':'].map(code) as [number, number, number, number];
const [open, close, openList, closeList] = ['{', '}', '[', ']'].map(code) as [number, number, number, number];

interface Container {
  isList: boolean;
  /** The name of the current member of an object. */
  name: string;
}

/** Splits a JSON document into the objects of its short URLs, one per line: those of its list, or the document itself. Only brackets and
 *  quotation marks are parsed; errors inside an object are found when its line is parsed. Throws UploadRejected for a document without a
 *  list of objects. */
export async function* splitJson(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const scanner = createScanner();
  for await (const part of splitIntoSlices(source)) {
    const lines = scanner.scan(part);
    if (lines.length > 0) yield Buffer.concat(lines);
    if (scanner.isBroken()) break;
  }
  const rest = scanner.end();
  if (rest.length > 0) yield Buffer.concat(rest);
  if (!scanner.hasFound())
    throw new UploadRejected('The JSON document does not contain a list of short URLs.');
}

function createScanner() {
  const stack: Container[] = [];
  let found = 0;
  let isBroken = false;
  let inString = false;
  let isEscaped = false;
  let text: number[] = [];
  /** The current object and its depth; the document itself is discarded as a record when it contains a list. */
  let record: { parts: Buffer[]; length: number; depth: number } | undefined;
  let lines: Buffer[] = [];

  const isRecord = (): boolean => {
    const path = stack.filter(({ isList }) => !isList).map(({ name }) => name);
    const inner = stack.at(-1);
    if (!inner) return true;
    if (path.length > 2) return false;
    if (inner.isList)
      return path.every((name) => listNames.has(name)) && stack.filter(({ isList }) => isList).length === 1;
    // YOURLS numbers its links: {"links": {"link_1": {…}, "link_2": {…}}}.
    return path.length === 2 && path[0] === 'links' && /^link_\d+$/.test(path[1]!);
  };

  function keep(bytes: Buffer): void {
    if (!record || record.length > maxObjectBytes) return;
    record.parts.push(bytes);
    record.length += bytes.length;
  }

  function finish(): void {
    if (!record) return;
    const line = Buffer.concat(record.parts);
    for (const [at, byte] of line.entries()) if (byte === 0x0a || byte === 0x0d) line[at] = 0x20;
    lines.push(line, Buffer.from('\n'));
    found += 1;
    record = undefined;
  }

  function enter(isList: boolean, from: number): number {
    const isObject = !isList && isRecord();
    // The document contains a list, so it is not a short URL itself.
    const isListed = isList && stack.length <= 2 && listNames.has(stack.at(-1)?.name ?? '');
    if (record?.depth === 0 && stack.length > 0 && (isObject || isListed)) record = undefined;
    let begin = -1;
    if (isObject && !record) {
      record = { parts: [], length: 0, depth: stack.length };
      begin = from;
    }
    stack.push({ isList, name: '' });
    return begin;
  }

  function leave(isList: boolean): boolean {
    const left = stack.pop();
    if (!left || left.isList !== isList) isBroken = true;
    return record !== undefined && record.depth === stack.length;
  }

  function readString(byte: number): void {
    if (isEscaped) isEscaped = false;
    else if (byte === backslash) isEscaped = true;
    else if (byte === quote) inString = false;
    if (inString && text.length < 100) text.push(byte);
  }

  return {
    hasFound: () => found > 0,
    isBroken: () => isBroken,

    /** The lines that are complete after this part. */
    scan(part: Buffer): Buffer[] {
      lines = [];
      let begin = 0;
      for (let at = 0; at < part.length && !isBroken; at++) {
        const byte = part[at]!;
        if (inString) readString(byte);
        else if (byte === quote) {
          inString = true;
          text = [];
        } else if (byte === colon) {
          const inner = stack.at(-1);
          if (inner && stack.length <= 3) inner.name = Buffer.from(text).toString();
        } else if (byte === open || byte === openList) {
          const from = enter(byte === openList, at);
          if (from >= 0) begin = from;
        } else if (byte === close || byte === closeList) {
          if (!leave(byte === closeList)) continue;
          keep(part.subarray(begin, at + 1));
          finish();
        } else if (byte === comma) text = [];
      }
      if (record) keep(part.subarray(begin));
      return lines;
    },

    /** The remaining lines at the end of the document. */
    end(): Buffer[] {
      lines = [];
      if (record && record.depth > 0) finish();
      const isWhole = !isBroken && stack.length === 0;
      if (!isWhole && found > 0) lines.push(Buffer.from(truncated));
      return lines;
    },
  };
}
