import type { CsvError } from 'csv-parse';
import { parse } from 'csv-parse/sync';
import type { RecordCollector } from './record-collector.ts';
import { type FileWindow, maxRecordBytes, tooLong } from './record.ts';

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
    const code = readCsvRows(whole, collector, delimiter);
    if (code === undefined) return;
    // A record that continues after the window is complete in the next one, which starts with it.
    if (code === 'CSV_QUOTE_NOT_CLOSED' && !isLast && whole.length - collector.done < maxRecordBytes) return;
    collector.addLine(csvProblems[code]!, code === 'INVALID_OPENING_QUOTE' ? readLoosely : undefined);
    // Detecting this error reads the rest of the window: once per window is enough.
    if (code === 'CSV_QUOTE_NOT_CLOSED' || code === 'CSV_MAX_RECORD_SIZE') return;
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
