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

/** Each service whose files can be imported. The API and its OpenAPI document take the names from here. */
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
/** `custom` is a file with a column mapping. */
export type FormatName = ServiceName | 'custom';

export const serviceNames = Object.keys(formats) as ServiceName[];

/** The format that the client requests, or `auto` to detect it; and a column mapping. */
export interface RequestedFormat {
  format: FormatName | 'auto';
  mapping: ColumnMapping | null;
}

/** The format of a file. */
export interface FoundFormat {
  name: FormatName;
  format: ImportFormat;
}

/** All columns of each service, also those that are not imported. */
const columnsOf = new Map<ServiceName, ReadonlySet<string>>(
  serviceNames.map((name) => [
    name,
    new Set([...readColumns(formats[name]), ...(formats[name].dropped ?? [])]),
  ]),
);

const knows = (name: ServiceName, column: string) => columnsOf.get(name)!.has(column);

/** Whether a column belongs to a known service. Only such names are shown: without a header row, the names of a file may be addresses or
 *  URLs. */
export const isKnownColumn = (plain: string) => serviceNames.some((name) => knows(name, plain));

/** The formats that match these columns: the requested one, or with `auto` those with a complete set of signs that know most of the columns.
 *  More than one result means that the columns are ambiguous. */
export function findFormats({ format, mapping }: RequestedFormat, columns: readonly string[]): FoundFormat[] {
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

/** The format that matches these columns; undefined when none or several do. */
export function findFormat(requested: RequestedFormat, columns: readonly string[]): FoundFormat | undefined {
  const found = findFormats(requested, columns);
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

/** Whether a file of a requested format has the required columns. */
function isReadable({ fields, codeIsOptional }: ImportFormat, given: ReadonlySet<string>): boolean {
  const needed = codeIsOptional ? [fields.original_url] : [fields.original_url, fields.short_code];
  return needed.every((sources) =>
    sources?.some((source) => given.has(typeof source === 'string' ? source : source.column)),
  );
}

/** Describes the columns that a file of this format must have. */
export const describeSigns = (name: ServiceName): string => formats[name].signs.map(describe).join(', or ');

const describe = (signs: Signs) =>
  signs.map((sign) => (typeof sign === 'string' ? sign : `one of ${sign.join('/')}`)).join(' and ');
