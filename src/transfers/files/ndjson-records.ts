import { endOfLine, skipEmptyLines } from './lines.ts';
import type { RecordCollector } from './record-collector.ts';
import { maxRecordBytes, tooLong } from './record.ts';

/** Deepest JSON value. */
const maxDepth = 100;

/** Reads the records of a file with a JSON value per line. */
export function readNdjson(whole: Buffer, collector: RecordCollector): void {
  for (
    let begin = skipEmptyLines(whole, 0);
    begin < whole.length && !collector.hasTooManyErrors;
    begin = skipEmptyLines(whole, collector.done)
  ) {
    const end = endOfLine(whole, begin);
    const found = end - begin > maxRecordBytes ? tooLong : parseJson(whole.toString('utf8', begin, end));
    if (typeof found === 'string') collector.addLine(found);
    else collector.add(end, found);
  }
  if (!collector.hasTooManyErrors) collector.moveTo(whole.length);
}

/** Parses JSON; returns why the text is invalid, or nested so deeply that serializing it would overflow the stack. */
function parseJson(text: string): { value: unknown } | string {
  try {
    const value: unknown = JSON.parse(text);
    return isDeeper(value, maxDepth) ? 'is nested too deeply' : { value };
  } catch {
    return 'is not JSON';
  }
}

const isDeeper = (value: unknown, levels: number): boolean =>
  typeof value === 'object' &&
  value !== null &&
  (levels === 0 || Object.values(value).some((inner) => isDeeper(inner, levels - 1)));
