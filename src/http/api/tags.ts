/** The groups of the API's operations, in the order of the document, and what each is for. */
export const tags = {
  'Short URLs': 'Create, read, change, delete and restore one short URL, and draw its QR code.',
  'Many short URLs':
    'Create, change or delete up to 1,000 short URLs in one request; each gets a result of its own.',
  'Finding short URLs': 'Search, filter and sort short URLs, and list their tags and hosts.',
  Analytics: 'Clicks by time, country, referrer, browser, system and device, and a stream of clicks.',
  Codes: 'Reserve short codes for another system.',
  Imports: 'Create short URLs from a file of Linkmill or another service.',
  Exports: 'Write short URLs or clicks to a file.',
  'API keys': 'Create, rotate and revoke API keys, and say what each may do.',
  Safety: 'Block hosts, and work through the reports of visitors.',
  Jobs: 'Run background jobs and read their progress.',
  'For everybody': 'What needs no API key: redirects, previews, reports, health, metrics and this document.',
} as const;

export type Tag = keyof typeof tags;

/** As OpenAPI lists them. */
export const describedTags = Object.entries(tags).map(([name, description]) => ({ name, description }));
