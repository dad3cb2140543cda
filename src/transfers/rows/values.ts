import { readTags } from './tag-list.ts';

/** A value of a row: from the first of its columns that exists and is not empty. */
export type Source = string | { column: string; read: (value: unknown) => unknown };

/** How JSON, databases and spreadsheets say no. */
const noes: ReadonlySet<unknown> = new Set([false, 0, '0', 'false', 'f', 'no', 'n', 'off']);

export const isNo = (value: unknown) =>
  noes.has(typeof value === 'string' ? value.trim().toLowerCase() : value);

/** Whether there is something, where services write a value, a hash, or only yes or no. */
const isThere = (value: unknown) => !isNo(value);

/** The path of a short URL, which is its code: of `https://sho.rt/code`, `sho.rt/code` or `code`. A path of several parts stays
 *  whole: its last part alone would be the code of another short URL. */
function codeOf(value: unknown): unknown {
  const [first]: unknown[] = Array.isArray(value) ? value : [value];
  if (typeof first !== 'string') return first;
  const path = first
    .trim()
    .replace(/[?#].*$/, '')
    .replace(/^[a-z][a-z\d+.-]*:\/\/[^/]*\/?|^[^/]*[.:][^/]*\//i, '')
    .replace(/^\/|\/$/g, '');
  return decode(path) || undefined;
}

function decode(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

/** Where a column has a short URL, or only its code. */
export const codeIn = (...columns: string[]): Source[] => columns.map((column) => ({ column, read: codeOf }));

/** Where a column says whether there is a password, or has it. */
export const passwordIn = (...columns: string[]): Source[] =>
  columns.map((column) => ({ column, read: isThere }));

/** Where a column says that a short URL is disabled. */
export const disabledIn = (...columns: string[]): Source[] =>
  columns.map((column) => ({ column, read: isNo }));

/** Tags as services list them: with bars between them, or else commas; as a JSON list; as objects with a name. */
export const tagsIn = (...columns: string[]): Source[] =>
  columns.map((column) => ({ column, read: readTagNames }));

function readTagNames(value: unknown): unknown {
  if (typeof value === 'string' && !/^\[|\|/.test(value)) {
    return value
      .split(',')
      .map((tag) => tag.trim())
      .filter(Boolean);
  }
  const tags = readTags(value);
  return Array.isArray(tags) ? tags.map(nameOf) : tags;
}

const nameOf = (tag: unknown): unknown =>
  typeof tag === 'object' && tag !== null && 'name' in tag ? tag.name : tag;

/** Where a column has a time of expiry, and zero for none. */
export const expiryIn = (...columns: string[]): Source[] =>
  columns.map((column) => ({
    column,
    read: (value) => ([0, '0'].includes(value as string) ? undefined : value),
  }));
