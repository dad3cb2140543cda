import { stringify } from 'csv-stringify/sync';

const long = 'x'.repeat(3_000);

/** Optional values from real files that are invalid. */
const secondary: Record<string, string[]> = {
  title: ['two\nlines', 'a\ttab', 'nul\0', long, '\u0007', '\uFEFF', 'em\u0085bedded'],
  notes: ['nul\0', long, '\u001B[31m'],
  tags: [Array.from({ length: 40 }, (_, i) => `t${i}`).join('|'), long, 'a\nb', '["x", 7]', '[{}]'],
  created_at: ['yesterday', '31.12.2024', '12/31/2024', '2024-02-30', '0000-00-00 00:00:00', '-1', 'NaN'],
  last_accessed_at: ['never', '1', '2024-13-01'],
  click_count: ['many', '-1', '1.5', '1e99', '99999999999999999999', '1 234'],
  redirect_status: ['200', 'permanent', '0'],
  redirect_max_age_seconds: ['long', '-1'],
  forward_query: ['perhaps', '2'],
  crawlable: ['perhaps', '2'],
  fallback_url: ['no url', 'javascript:alert(1)', 'http://127.0.0.1/'],
};

/** Invalid values of access rules. */
const limits: Record<string, string[]> = {
  expires_at: [
    'soon',
    '31.12.2024',
    '12/31/2024',
    '2024-02-30',
    '0000-00-00 00:00:00',
    'false',
    'no',
    '-1',
    '10000-01-01',
  ],
  starts_at: ['soon', '2024-02-30', '0'],
  max_clicks: ['few', '0', '-1', '1.5', '1e99', 'no', 'unlimited'],
  is_active: ['perhaps', '2', 'paused'],
  is_one_time: ['perhaps', '2'],
  has_password: ['perhaps', 'true', 'secret'],
};

/** A file with one bad value. */
export interface DamagedFile {
  name: string;
  content: Buffer;
}

function* withEach(values: Record<string, string[]>): Generator<DamagedFile> {
  for (const [field, given] of Object.entries(values))
    for (const value of given) {
      const names = ['short_code', 'original_url', field];
      const content = Buffer.from(stringify([names, ['code-1', 'https://example.com/', value]]));
      yield { name: `${field} ${JSON.stringify(value.slice(0, 40))}`, content };
    }
}

export const withBadSecondary = () => withEach(secondary);
export const withBadLimit = () => withEach(limits);
