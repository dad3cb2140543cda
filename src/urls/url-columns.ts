import { defaultSettings, type UrlSettings } from './url.ts';

/** A short URL to be inserted; what it does not say is as by default. */
export interface NewUrl extends Partial<UrlSettings> {
  shortCode: string;
  originalUrl: string;
  codeIsGenerated: boolean;
  createdBy: number;
  /** Now, unless it says another time. */
  createdAt?: Date | undefined;
  isActive?: boolean;
}

/** The column of `urls` that each setting has, with its type. */
const settings: Record<keyof UrlSettings, `${string} ${string}`> = {
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
  isActive: 'is_active boolean',
  ...settings,
};

const nameOf = (column: string) => column.slice(0, column.indexOf(' '));

/** What a ShortUrl is read from, of `urls u`. */
export const urlColumns = [
  'u.id, u.short_code as "shortCode", u.original_url as "originalUrl", u.created_at as "createdAt"',
  'u.updated_at as "updatedAt", u.created_by as "createdBy", u.is_active as "isActive", u.version',
  ...Object.entries(settings).map(([property, column]) => `u.${nameOf(column)} as "${property}"`),
].join(', ');

/** The columns that an inserted row is given. */
export const insertedColumns = Object.values(given).map(nameOf).join(', ');

/** What it is given in them. */
export const insertedValues = insertedColumns.replace('created_at', 'coalesce(created_at, now())');

/** The same with their types, as `json_to_recordset` wants them. */
export const insertedTypes = Object.values(given).join(', ');

/** Rows to be inserted as JSON that `json_to_recordset` reads. */
export function toInsertedRows(urls: NewUrl[]): string {
  const properties = Object.entries(given) as [keyof NewUrl, string][];
  const rows = urls.map((url) => {
    const full = { ...defaultSettings, isActive: true, ...url };
    return Object.fromEntries(properties.map(([property, column]) => [nameOf(column), full[property]]));
  });
  return JSON.stringify(rows);
}
