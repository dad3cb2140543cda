import { bitly, bitlyFile } from './bitly.ts';
import { columnOf, type ImportFormat, plainName } from './format.ts';
import { kutt } from './kutt.ts';
import { linkmill } from './linkmill.ts';
import { shlink } from './shlink.ts';
import { yourls } from './yourls.ts';

const formats = {
  linkmill: [linkmill],
  shlink: [shlink],
  kutt: [kutt],
  yourls: [yourls],
  bitly: [bitly, bitlyFile],
} as const satisfies Record<string, readonly ImportFormat[]>;

export type FormatName = keyof typeof formats;

export const formatNames = Object.keys(formats) as FormatName[];

/** A format that a file was found to have. */
export interface FoundFormat {
  name: FormatName;
  format: ImportFormat;
  /** Names of columns that mean nothing in it. */
  ignoredColumns: string[];
}

/** The format of a file with these columns: the one of this name, or with `auto` the first whose columns they are; undefined when
 *  there is none. */
export function findFormat(name: FormatName | 'auto', columns: readonly string[]): FoundFormat | undefined {
  const given = new Set(columns.map(plainName));
  for (const candidate of name === 'auto' ? formatNames : [name]) {
    const format = formats[candidate].find(({ signs }) => signs.every((sign) => given.has(sign)));
    if (!format) continue;
    const known = new Set(Object.values(format.fields).flatMap((sources) => sources.map(columnOf)));
    return {
      name: candidate,
      format,
      ignoredColumns: columns.filter((column) => !known.has(plainName(column))),
    };
  }
  return undefined;
}

/** What a file of this format, or of any, must have, for people. */
export const neededColumns = (name: FormatName | 'auto'): string =>
  (name === 'auto' ? formatNames : [name])
    .map(
      (candidate) =>
        `${candidate}: ${formats[candidate].map(({ signs }) => signs.join(' and ')).join(', or ')}`,
    )
    .join('; ');
