import { searchTextOf } from '../search-text/search-text.ts';
import { defaultSettings, type TagChanges, type UrlSettings } from '../url.ts';
import { aliasesOf } from './aliases.ts';
import { type IdempotencyKey, idempotencyTypes, toIdempotencyColumns } from './idempotency-key.ts';

/** A short URL to insert; missing fields have their defaults. */
export interface NewUrl extends Partial<UrlSettings> {
  shortCode: string;
  originalUrl: string;
  codeIsGenerated: boolean;
  createdBy: number;
  /** Inserted at most once with this key. */
  idempotencyKey?: IdempotencyKey | undefined;
  /** The current time by default. */
  createdAt?: Date | undefined;
}

/** Changed fields; all others stay unchanged. */
export type Changes = Partial<UrlSettings & TagChanges & { originalUrl: string }>;

/** The column of `urls` for each setting, with its type. */
const settings: Record<keyof UrlSettings, `${string} ${string}`> = {
  isActive: 'is_active boolean',
  startsAt: 'starts_at timestamptz',
  expiresAt: 'expires_at timestamptz',
  maxClicks: 'max_clicks bigint',
  isOneTime: 'is_one_time boolean',
  passwordHash: 'password_hash text',
  fallbackUrl: 'fallback_url text',
  redirectStatus: 'redirect_status smallint',
  redirectMaxAgeSeconds: 'redirect_max_age_seconds integer',
  forwardQuery: 'forward_query boolean',
  crawlable: 'crawlable boolean',
  title: 'title text',
  notes: 'notes text',
  tags: 'tags text[]',
};

const inserted = {
  shortCode: 'short_code text',
  originalUrl: 'original_url text',
  codeIsGenerated: 'code_is_generated boolean',
  createdBy: 'created_by bigint',
  createdAt: 'created_at timestamptz',
  ...settings,
};

/** Derived from other columns: see search-text.ts. */
const searchText = 'search_text text';

const nameOf = (column: string) => column.slice(0, column.indexOf(' '));

const changeable = Object.entries({ originalUrl: 'original_url text', ...settings }).filter(
  // The statement sets it, because it also depends on `has_ended`.
  ([property]) => property !== 'isActive',
);

/** SQL for columns in which other programs may store unsupported values: integers beyond JavaScript's safe range, and
 *  tags that are null or nested. */
const expressions: Partial<Record<keyof UrlSettings | 'version', string>> = {
  version: `least(u.version, ${Number.MAX_SAFE_INTEGER})`,
  maxClicks: `case when u.max_clicks > ${Number.MAX_SAFE_INTEGER} then ${Number.MAX_SAFE_INTEGER} else u.max_clicks end`,
  tags: `case when u.tags = '{}' then u.tags
    when array_ndims(u.tags) = 1 and array_position(u.tags, null) is null then u.tags
    else array(select tag from unnest(u.tags) as tag where tag is not null) end`,
};

const urlColumnsOf = (shortCode: string): string[] => [
  `u.id, ${shortCode} as "shortCode"`,
  'u.original_url as "originalUrl", u.created_at as "createdAt"',
  `u.updated_at as "updatedAt", u.created_by as "createdBy", ${expressions.version} as version`,
  ...(Object.entries(settings) as [keyof UrlSettings, string][]).map(
    ([property, column]) => `${expressions[property] ?? `u.${nameOf(column)}`} as "${property}"`,
  ),
];
const stored = 'u.deleted_at is not null as "isDeleted", u.has_ended as "hasEnded"';

/** The columns of a ShortUrl, from `urls u`. */
export const urlColumns = [...urlColumnsOf('u.short_code'), `${aliasesOf} as aliases`].join(', ');

/** The columns of a StoredUrl, from `urls u`. */
export const storedColumns = `${urlColumns}, ${stored}`;

/** The columns of a StoredUrl without its aliases, under the code that was looked up. */
export const lookUpColumnsOf = (shortCode: string): string => [...urlColumnsOf(shortCode), stored].join(', ');

/** The columns of a short URL's settings. */
export const settingColumns = Object.values(settings).map(nameOf);

/** The fields that determine the search text and can change. */
const searchedFields: readonly (keyof Changes)[] = ['originalUrl', 'title', 'tags', 'addTags', 'removeTags'];

/** Whether changes affect the search text. */
export const changesSearchText = (changes: Changes): boolean =>
  searchedFields.some((name) => name in changes);

/** The columns of an insert. */
export const insertedColumns = [...Object.values(inserted), searchText].map(nameOf).join(', ');

/** The values of an insert. */
export const insertedValues = insertedColumns.replace('created_at', 'coalesce(created_at, now())');

/** The columns of an insert and of an idempotency key with their types, for `json_to_recordset`. */
export const insertedTypes = [...Object.values(inserted), searchText, idempotencyTypes].join(', ');

const insertedProperties = (Object.entries(inserted) as [keyof typeof inserted, string][]).map(
  ([property, column]) => ({
    property,
    begin: `,"${nameOf(column)}":`,
    fallback: property in defaultSettings ? defaultSettings[property as keyof UrlSettings] : null,
  }),
);

/** Encodes rows to insert as JSON for `json_to_recordset`, which reads absent columns as null. */
export const toInsertedRows = (urls: NewUrl[]): string => `[${urls.map(toInsertedRow).join(',')}]`;

/** Writes the text itself: imports encode millions of rows, and an object per row takes several times as long. */
function toInsertedRow(url: NewUrl): string {
  const { shortCode, originalUrl, title = null, tags = [] } = url;
  let row = `{"search_text":${JSON.stringify(searchTextOf({ shortCode, originalUrl, title, tags }))}`;
  for (const { property, begin, fallback } of insertedProperties) {
    const value = url[property] ?? fallback;
    if (value !== null) row += begin + JSON.stringify(value);
  }
  for (const [name, value] of Object.entries(toIdempotencyColumns(url.idempotencyKey) ?? {}))
    row += `,"${name}":${JSON.stringify(value)}`;
  return `${row}}`;
}

/** The columns that a change can set, except `is_active`. */
export const changedColumns = changeable.map(([, column]) => nameOf(column)).join(', ');

/** SQL for the new values of these columns, from `json_populate_record` with the changes; `tags` is the expression of the new tags. */
export const changedValues = (tags: string) =>
  changeable.map(([property, column]) => (property === 'tags' ? tags : nameOf(column))).join(', ');

/** Encodes changes as JSON for `json_populate_record`, which leaves the other columns unchanged. */
export function toChangedColumns(changes: Changes): string {
  const present = changeable.filter(([property]) => property in changes) as [keyof Changes, string][];
  return JSON.stringify(
    Object.fromEntries(present.map(([property, column]) => [nameOf(column), changes[property]])),
  );
}
