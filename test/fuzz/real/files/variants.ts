import { parse } from 'csv-parse/sync';
import { stringify } from 'csv-stringify/sync';
import type { ServiceFile } from '../../../transfers/formats/files/expected.ts';
import { serviceFiles } from '../../../transfers/formats/files/service-files.ts';

/** A file with its expected content. */
export interface Variant {
  name: string;
  file: ServiceFile;
  content: Buffer;
}

export const csvFiles = serviceFiles.filter(({ type }) => type === 'text/csv');

/** The cells of a CSV file, including the header row. */
export const cellsOf = ({ content }: ServiceFile): string[][] =>
  parse(content, { delimiter: content.startsWith('longURL;') ? ';' : ',' });

const inUtf16 = (text: string) => Buffer.from(text, 'utf16le');
const encoders: Record<string, (text: string) => Buffer> = {
  'UTF-8': (text) => Buffer.from(text),
  'UTF-8 with a mark': (text) => Buffer.from(`\uFEFF${text}`),
  'UTF-16LE with a mark': (text) => inUtf16(`\uFEFF${text}`),
  'UTF-16BE with a mark': (text) => inUtf16(`\uFEFF${text}`).swap16(),
  'UTF-16LE': inUtf16,
  'UTF-16BE': (text) => inUtf16(text).swap16(),
};
const separators = { comma: ',', semicolon: ';', tab: '\t', bar: '|', sep: '^' };
const lineEnds = { LF: '\n', CRLF: '\r\n', CR: '\r' };

/** Each CSV file in each character set, with each separator and each line end. */
export function* writtenOtherwise(): Generator<Variant> {
  for (const file of csvFiles)
    for (const [separator, delimiter] of Object.entries(separators))
      for (const [lineEnd, record_delimiter] of Object.entries(lineEnds)) {
        const begin = separator === 'sep' ? `sep=^${record_delimiter}` : '';
        const text = begin + stringify(cellsOf(file), { delimiter, record_delimiter });
        for (const [charset, encode] of Object.entries(encoders)) {
          const name = `${file.format} (${file.source}), ${charset}, ${separator}, ${lineEnd}`;
          yield { name, file, content: encode(text) };
        }
      }
}

/** Each document and dump in each character set. */
export function* documents(): Generator<Variant> {
  for (const file of serviceFiles.filter(({ type }) => type !== 'text/csv'))
    for (const [charset, encode] of Object.entries(encoders))
      yield { name: `${file.format} (${file.source}), ${charset}`, file, content: encode(file.content) };
}

/** Each CSV file without one of its columns, and without the header row. */
export function* incomplete(): Generator<Variant> {
  for (const file of csvFiles) {
    const rows = cellsOf(file);
    const names = rows[0]!;
    for (const [at, column] of names.entries()) {
      const content = stringify(rows.map((row) => row.toSpliced(at, 1)));
      yield {
        name: `${file.format} (${file.source}) without ${column}`,
        file,
        content: Buffer.from(content),
      };
    }
    const content = Buffer.from(stringify(rows.slice(1)));
    yield { name: `${file.format} (${file.source}) without names`, file, content };
  }
}

/** Each file, truncated at several positions. */
export function* cutOff(): Generator<Variant> {
  for (const file of serviceFiles) {
    const content = Buffer.from(file.content);
    for (let tenth = 1; tenth < 10; tenth++) {
      const end = Math.floor((content.length * tenth) / 10);
      yield {
        name: `${file.format} (${file.source}) to byte ${end}`,
        file,
        content: content.subarray(0, end),
      };
    }
  }
}
