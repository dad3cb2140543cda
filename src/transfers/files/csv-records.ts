import type { CsvError } from 'csv-parse';
import { parse } from 'csv-parse/sync';
import { endOfLine, newline, skipEmptyLines } from './lines.ts';
import type { RecordCollector } from './record-collector.ts';
import { type FileWindow, maxRecordBytes, tooLong } from './record.ts';

const quote = 0x22;

/** Errors of csv-parse, as the end of a sentence that begins with the row. */
const csvProblems: Partial<Record<CsvError['code'], string>> = {
  CSV_QUOTE_NOT_CLOSED: 'has a quotation mark that is not closed',
  CSV_INVALID_CLOSING_QUOTE: 'has text after a closing quotation mark',
  INVALID_OPENING_QUOTE: 'has a quotation mark inside an unquoted cell',
  CSV_MAX_RECORD_SIZE: tooLong,
};

/** Reads the records of a CSV file. */
export function readCsv(
  whole: Buffer,
  collector: RecordCollector,
  { isLast, delimiter = ',' }: FileWindow,
): void {
  const readLoosely = (line: Buffer) => readWithQuotes(line, delimiter);
  while (collector.done < whole.length && !collector.hasTooManyErrors) {
    readUsualRows(whole, collector, delimiter);
    if (collector.done >= whole.length) return;
    const code = readCsvRows(whole, collector, delimiter);
    if (code === undefined) return;
    // A record that continues after the window is complete in the next one, which starts with it.
    if (code === 'CSV_QUOTE_NOT_CLOSED' && !isLast && whole.length - collector.done < maxRecordBytes) return;
    collector.addLine(csvProblems[code]!, code === 'INVALID_OPENING_QUOTE' ? readLoosely : undefined);
    // Detecting this error reads the rest of the window: once per window is enough.
    if (code === 'CSV_QUOTE_NOT_CLOSED' || code === 'CSV_MAX_RECORD_SIZE') return;
  }
}

/** Reads records as csv-parse does, in a fraction of its time, up to the end or to one that csv-parse must read: it is long, or its quotes
 *  are not as RFC 4180 requires. */
function readUsualRows(whole: Buffer, collector: RecordCollector, delimiter: string): void {
  if (!/^[\t -~]$/.test(delimiter)) return;
  const endOfRecord = createRecordSearch(whole);
  for (let begin = skipEmptyLines(whole, collector.done); begin < whole.length;) {
    const end = endOfRecord(begin);
    const cells = end === undefined ? undefined : splitRecord(textOf(whole, begin, end), delimiter);
    if (end === undefined || cells === undefined) return;
    collector.add(end, { cells });
    begin = skipEmptyLines(whole, end);
  }
  collector.moveTo(whole.length);
}

/** Finds the ends of records in their order: the first line end after an even number of quotes. Undefined for a record that is long or does
 *  not end. */
function createRecordSearch(whole: Buffer): (begin: number) => number | undefined {
  const findQuote = (from: number) => (whole.indexOf(quote, from) + 1 || Number.POSITIVE_INFINITY) - 1;
  let nextQuote = -1;

  return (begin) => {
    if (nextQuote < begin) nextQuote = findQuote(begin);
    let isInQuotes = false;
    for (let end = endOfLine(whole, begin); end - begin <= maxRecordBytes; end = endOfLine(whole, end)) {
      for (; nextQuote < end; nextQuote = findQuote(nextQuote + 1)) isInQuotes = !isInQuotes;
      if (!isInQuotes) return end;
      if (end === whole.length) return undefined;
    }
    return undefined;
  };
}

/** The text of a record without its line end. */
function textOf(whole: Buffer, begin: number, end: number): string {
  if (whole[end - 1] !== newline) return whole.toString('utf8', begin, end);
  return whole.toString('utf8', begin, whole[end - 2] === 0x0d ? end - 2 : end - 1);
}

/** The cells of a record; undefined when it has other quotes than those around a cell and doubled ones inside it. */
function splitRecord(text: string, delimiter: string): string[] | undefined {
  if (!text.includes('"')) return text.split(delimiter);
  const cells: string[] = [];
  for (let at = 0; at <= text.length;) {
    const end = text[at] === '"' ? endOfQuoted(text, at) : text.indexOf(delimiter, at);
    const cell = text.slice(at, end < 0 ? text.length : end);
    if (text[at] === '"') {
      if (end !== text.length && text[end] !== delimiter) return undefined;
      cells.push(cell.slice(1, -1).replaceAll('""', '"'));
    } else {
      if (cell.includes('"')) return undefined;
      cells.push(cell);
    }
    at = end < 0 ? text.length + 1 : end + 1;
  }
  return cells;
}

/** The character after the closing quote of a cell, or after a cell whose quote is not closed. */
function endOfQuoted(text: string, begin: number): number {
  for (let at = begin + 1; ; at += 2) {
    at = text.indexOf('"', at);
    if (at < 0) return text.length + 1;
    if (text[at + 1] !== '"') return at + 1;
  }
}

/** Reads records up to the end or to an unreadable one; returns the error of that record. */
function readCsvRows(
  whole: Buffer,
  collector: RecordCollector,
  delimiter: string,
): CsvError['code'] | undefined {
  const begin = collector.done;
  try {
    parse(whole.subarray(begin), {
      delimiter,
      record_delimiter: ['\r\n', '\n'],
      relax_column_count: true,
      skip_empty_lines: true,
      max_record_size: maxRecordBytes,
      on_record: (cells: string[], { bytes }) => {
        collector.add(begin + bytes, { cells });
        return null;
      },
    });
    collector.moveTo(whole.length);
    return undefined;
  } catch (error) {
    const { code } = error as CsvError;
    if (csvProblems[code] === undefined) throw error;
    return code;
  }
}

/** The cells of one line with quotation marks inside unquoted cells, such as `7" tablet`. */
function readWithQuotes(line: Buffer, delimiter: string): string[] | undefined {
  const options = {
    delimiter,
    record_delimiter: ['\r\n', '\n'],
    relax_quotes: true,
    relax_column_count: true,
  };
  try {
    return parse(line, options)[0];
  } catch {
    return undefined;
  }
}
