import { defaultSettings, type UrlSettings } from '../url.ts';
import { aliasesOf } from './aliases.ts';
import { type IdempotencyKey, keyTypes, toKeyColumns } from './idempotency-key.ts';
import { searchTextOf } from './search-text.ts';

/** A short URL to be inserted; what it does not say is as by default. */
export interface NewUrl extends Partial<UrlSettings> {
  shortCode: string;
  originalUrl: string;
  codeIsGenerated: boolean;
  createdBy: number;
  /** With it, it is inserted once. */
  idempotencyKey?: IdempotencyKey | undefined;
  /** Now, unless it says another time. */
  createdAt?: Date | undefined;
}

/** What a short URL is to become; what it does not say stays. */
export type Changes = Partial<UrlSettings & { originalUrl: string }>;

/** The column of `urls` that each setting has, with its type. */
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

const given = {
  shortCode: 'short_code text',
  originalUrl: 'original_url text',
  codeIsGenerated: 'code_is_generated boolean',
  createdBy: 'created_by bigint',
  createdAt: 'created_at timestamptz',
  ...settings,
};

/** What is made from other columns: see search-text.ts. */
const searchText = 'search_text text';

const nameOf = (column: string) => column.slice(0, column.indexOf(' '));

const changed = Object.entries({ originalUrl: 'original_url text', ...settings }).filter(
  // Not only its own change decides on it.
  ([property]) => property !== 'isActive',
);

/** How a column is read of which another program may write what a short URL cannot have: numbers beyond those that are exact in
 *  JavaScript, tags that are null or lists. */
const readings: Partial<Record<keyof UrlSettings | 'version', string>> = {
  version: `least(u.version, ${Number.MAX_SAFE_INTEGER})`,
  maxClicks: `case when u.max_clicks > ${Number.MAX_SAFE_INTEGER} then ${Number.MAX_SAFE_INTEGER} else u.max_clicks end`,
  tags: `case when u.tags = '{}' then u.tags
    when array_ndims(u.tags) = 1 and array_position(u.tags, null) is null then u.tags
    else array(select tag from unnest(u.tags) as tag where tag is not null) end`,
};

const urlColumnsOf = (shortCode: string): string[] => [
  `u.id, ${shortCode} as "shortCode"`,
  'u.original_url as "originalUrl", u.created_at as "createdAt"',
  `u.updated_at as "updatedAt", u.created_by as "createdBy", ${readings.version} as version`,
  ...(Object.entries(settings) as [keyof UrlSettings, string][]).map(
    ([property, column]) => `${readings[property] ?? `u.${nameOf(column)}`} as "${property}"`,
  ),
];
const stored = 'u.deleted_at is not null as "isDeleted", u.has_ended as "hasEnded"';

/** What a ShortUrl is read from, of `urls u`. */
export const urlColumns = [...urlColumnsOf('u.short_code'), `${aliasesOf} as aliases`].join(', ');

/** What a StoredUrl is read from, of `urls u`. */
export const storedColumns = `${urlColumns}, ${stored}`;

/** The same without the old codes, under the code by which it is looked up. */
export const lookUpColumnsOf = (shortCode: string): string => [...urlColumnsOf(shortCode), stored].join(', ');

/** The columns of a short URL's settings. */
export const settingColumns = Object.values(settings).map(nameOf);

/** What of a short URL its search text is made from, as far as a change may set it. */
const searched: readonly (keyof Changes)[] = ['originalUrl', 'title', 'tags'];

/** Whether a change may change the search text. */
export const changesSearchText = (changes: Changes): boolean => searched.some((name) => name in changes);

/** The columns that an inserted row is given. */
export const insertedColumns = [...Object.values(given), searchText].map(nameOf).join(', ');

/** What it is given in them. */
export const insertedValues = insertedColumns.replace('created_at', 'coalesce(created_at, now())');

/** The same and those of an idempotency key with their types, as `json_to_recordset` wants them. */
export const insertedTypes = [...Object.values(given), searchText, keyTypes].join(', ');

/** Rows to be inserted as JSON that `json_to_recordset` reads. */
export function toInsertedRows(urls: NewUrl[]): string {
  const properties = Object.entries(given) as [keyof NewUrl, string][];
  const rows = urls.map((url) => {
    const full = { ...defaultSettings, ...url };
    const columns = properties.map(([property, column]) => [nameOf(column), full[property]]);
    return {
      ...Object.fromEntries(columns),
      search_text: searchTextOf(full),
      ...toKeyColumns(url.idempotencyKey),
    };
  });
  return JSON.stringify(rows);
}

/** The columns that a change may set, but for `is_active`. */
export const changedColumns = changed.map(([, column]) => nameOf(column)).join(', ');

/** Changes as JSON that `json_populate_record` reads: a column that it does not name stays. */
export function toChangedColumns(changes: Changes): string {
  const given = changed.filter(([property]) => property in changes) as [keyof Changes, string][];
  return JSON.stringify(
    Object.fromEntries(given.map(([property, column]) => [nameOf(column), changes[property]])),
  );
}
