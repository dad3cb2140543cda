import { readTags } from './tag-list.ts';

/** The source of a value: a column, perhaps with a parser. The first column with a value is used. */
export type Source = string | { column: string; read: (value: unknown) => unknown };

/** False in JSON, databases and spreadsheets. */
const falseValues: ReadonlySet<unknown> = new Set([false, 0, '0', 'false', 'f', 'no', 'n', 'off']);

export const isNo = (value: unknown) =>
  falseValues.has(typeof value === 'string' ? value.trim().toLowerCase() : value);

/** Whether a value is present; services write a value, a hash or a flag. */
const isPresent = (value: unknown) => !isNo(value);

/** The code of a short URL, which is its path: of `https://sho.rt/code`, `sho.rt/code` or `code`. A path with several parts is kept, because its
 *  last part could be the code of another short URL. */
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

/** Columns with a short URL or its code. */
export const codeIn = (...columns: string[]): Source[] => columns.map((column) => ({ column, read: codeOf }));

/** Columns with a password or a flag for it. */
export const passwordIn = (...columns: string[]): Source[] =>
  columns.map((column) => ({ column, read: isPresent }));

/** Columns with a flag for disabled short URLs. */
export const disabledIn = (...columns: string[]): Source[] =>
  columns.map((column) => ({ column, read: isNo }));

/** Columns with tags: separated by bars or commas, as a JSON list, or as objects with a name. */
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

/** Columns with an expiry time, where zero means none. */
export const expiryIn = (...columns: string[]): Source[] =>
  columns.map((column) => ({
    column,
    read: (value) => ([0, '0'].includes(value as string) ? undefined : value),
  }));
