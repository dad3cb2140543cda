import { bitly } from './bitly.ts';
import { chhoto } from './chhoto.ts';
import { type ColumnMapping, createCustomFormat } from './custom.ts';
import { dub } from './dub.ts';
import { type ImportFormat, plainName, readColumns, type Signs } from './format.ts';
import { kutt } from './kutt.ts';
import { linkmill } from './linkmill.ts';
import { polr } from './polr.ts';
import { rebrandly } from './rebrandly.ts';
import { shlink } from './shlink.ts';
import { shortio } from './shortio.ts';
import { sink } from './sink.ts';
import { tinyurl } from './tinyurl.ts';
import { yourls } from './yourls.ts';

const formats = {
  linkmill,
  shlink,
  kutt,
  yourls,
  bitly,
  dub,
  rebrandly,
  shortio,
  polr,
  tinyurl,
  chhoto,
  sink,
} as const satisfies Record<string, ImportFormat>;

export type ServiceName = keyof typeof formats;
/** `custom`: the columns are those of a mapping. */
export type FormatName = ServiceName | 'custom';

export const serviceNames = Object.keys(formats) as ServiceName[];

/** How a file is to be read: as what, or `auto` for what its columns say; and by which mapping. */
export interface WantedFormat {
  format: FormatName | 'auto';
  mapping: ColumnMapping | null;
}

/** A format that a file was found to have. */
export interface FoundFormat {
  name: FormatName;
  format: ImportFormat;
}

/** The columns of each service's files, read or not. */
const columnsOf = new Map<ServiceName, ReadonlySet<string>>(
  serviceNames.map((name) => [
    name,
    new Set([...readColumns(formats[name]), ...(formats[name].dropped ?? [])]),
  ]),
);

const knows = (name: ServiceName, column: string) => columnsOf.get(name)!.has(column);

/** Whether a column is one of a service whose files are known. Only such names are repeated to anybody: where the first row is
 *  missing, those of the file are visitors' addresses or URLs. */
export const isKnownColumn = (plain: string) => serviceNames.some((name) => knows(name, plain));

/** The formats that a file with these columns may have: the wanted one, or with `auto` those with a whole set of signs, the one
 *  that knows most of the columns first. More than one only if the columns do not tell. */
export function findFormats({ format, mapping }: WantedFormat, columns: readonly string[]): FoundFormat[] {
  const given = new Set(columns.map(plainName));
  if (mapping) {
    const custom = createCustomFormat(mapping);
    return hasAll(given, custom.signs[0]!) ? [{ name: 'custom', format: custom }] : [];
  }
  if (format === 'custom') return [];
  if (format !== 'auto')
    return isReadable(formats[format], given) ? [{ name: format, format: formats[format] }] : [];
  const found = serviceNames
    .filter((name) => hasSigns(name, given))
    .map((name) => ({
      name,
      format: formats[name],
      known: [...given].filter((column) => knows(name, column)).length,
    }));
  const most = Math.max(...found.map(({ known }) => known));
  return found.filter(({ known }) => known === most);
}

/** The one format that a file with these columns has. */
export function findFormat(wanted: WantedFormat, columns: readonly string[]): FoundFormat | undefined {
  const found = findFormats(wanted, columns);
  return found.length === 1 ? found[0] : undefined;
}

const hasAll = (given: ReadonlySet<string>, signs: Signs) =>
  signs.every((sign) => (typeof sign === 'string' ? given.has(sign) : sign.some((one) => given.has(one))));

function hasSigns(name: ServiceName, given: ReadonlySet<string>): boolean {
  const { signs, isKnownBy }: ImportFormat = formats[name];
  if (signs.some((set) => hasAll(given, set))) return true;
  if (isKnownBy === undefined || !given.has(isKnownBy)) return false;
  return [...given].every((column) => readColumns(formats[name]).includes(column));
}

/** Whether a file of a format that its uploader names has the columns without which no row can be imported. */
function isReadable({ fields, codeIsOptional }: ImportFormat, given: ReadonlySet<string>): boolean {
  const needed = codeIsOptional ? [fields.original_url] : [fields.original_url, fields.short_code];
  return needed.every((sources) =>
    sources?.some((source) => given.has(typeof source === 'string' ? source : source.column)),
  );
}

/** The columns that a file of this format must have, for people. */
export const describeSigns = (name: ServiceName): string => formats[name].signs.map(describe).join(', or ');

const describe = (signs: Signs) =>
  signs.map((sign) => (typeof sign === 'string' ? sign : `one of ${sign.join('/')}`)).join(' and ');
