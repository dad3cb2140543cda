import { UploadRejected } from '../transfer.ts';

/** The kind of a file. `json` is one document, `ndjson` an object per line. */
export type FileKind = 'csv' | 'ndjson' | 'json' | 'sql';

/** Signatures of binary files, with what they are and the remedy. */
const binaries: readonly [Buffer, string][] = [
  [
    Buffer.from('PK\x03\x04'),
    'an Excel workbook (.xlsx) or another ZIP archive. Save it as CSV, or unpack it.',
  ],
  [Buffer.from('d0cf11e0a1b11ae1', 'hex'), 'an Excel workbook (.xls). Save it as CSV.'],
  [Buffer.from('1f8b', 'hex'), 'compressed with gzip. Unpack it.'],
  [Buffer.from('BZh'), 'compressed with bzip2. Unpack it.'],
  [Buffer.from('28b52ffd', 'hex'), 'compressed with Zstandard. Unpack it.'],
  [Buffer.from('fd377a585a00', 'hex'), 'compressed with xz. Unpack it.'],
  [Buffer.from('SQLite format 3\0'), 'an SQLite database. Export its table of links as CSV.'],
  [Buffer.from('PGDMP'), 'a PostgreSQL dump in its own format. Export its table of links as CSV.'],
  [Buffer.from('%PDF-'), 'a PDF document.'],
];

/** Throws UploadRejected for a binary file. */
export function rejectBinary(head: Buffer): void {
  const [, what] = binaries.find(([begin]) => head.subarray(0, begin.length).equals(begin)) ?? [];
  if (what) throw new UploadRejected(`The file must be a text file, but is ${what}`);
}

const sqlBegin =
  /^\s*(?:--[\s-]|\/\*|(?:insert|replace)\s+(?:ignore\s+)?into\s|(?:create|drop)\s+table\s|set\s+(?:names|sql_mode|@)|lock tables\s|start transaction)/i;

/** Throws UploadRejected for text that is neither CSV, JSON nor SQL. */
function rejectMarkup(text: string): void {
  const begin = text.trimStart().slice(0, 200).toLowerCase();
  if (/^<(?:!doctype html|html|head|body)/.test(begin))
    throw new UploadRejected('The file is a web page (HTML), perhaps an error page or a login form.');
  if (begin.startsWith('<?xml')) throw new UploadRejected('The file is XML. Export CSV or JSON.');
}

/** Detects the kind of a file from its beginning; `requested` is the kind that the client states, if the text does not tell. */
export function findKind(text: string, requested: FileKind | undefined): FileKind {
  rejectMarkup(text);
  const begin = text.trimStart()[0];
  if (begin === '[') return 'json';
  if (begin === '{') return isOnePerLine(text) ? 'ndjson' : 'json';
  if (sqlBegin.test(text)) return 'sql';
  return requested ?? 'csv';
}

/** Whether the first line is one object, not a document with a list of objects. */
function isOnePerLine(text: string): boolean {
  const lines = text.trimStart().split('\n');
  // When the first line is cut off or damaged, the others decide.
  const first = parse(lines[0]!) ?? (lines.length > 1 ? parse(lines[1]!) : undefined);
  if (first === undefined)
    return lines.length > 2 && lines.slice(0, 20).filter((line) => /^\{.*\}\s*$/.test(line)).length > 1;
  return (
    !Object.values(first).some(
      (value) =>
        Array.isArray(value) &&
        value.some((one) => typeof one === 'object' && one !== null && !('name' in one)),
    ) &&
    !('links' in first) &&
    !('shortUrls' in first)
  );
}

function parse(line: string): object | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
