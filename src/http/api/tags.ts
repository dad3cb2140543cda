/** The tags of the API document, in its order. */
export const tags = {
  'Short URLs': 'Create, get, update, delete and restore a short URL, and get its QR code.',
  Bulk: 'Create, update or delete up to 1,000 short URLs per request. Each item has its own result.',
  Search: 'Search, filter and sort short URLs, and list their tags and hosts.',
  Analytics: 'Clicks by time, country, referrer, browser, operating system and device, and a live stream.',
  'Short codes': 'Check short codes, reserve them for another system, and release them.',
  Imports: 'Create short URLs from a file of Linkmill or of another service.',
  Exports: 'Write short URLs or click events to a file.',
  'API keys': 'Create, update, rotate and revoke API keys.',
  Sessions: 'Sign a browser in and out, and list the sessions of an API key.',
  Moderation: 'Block hosts, and handle reports of visitors.',
  Service: 'Version, retention periods, code rules, limits and features of the service.',
  Jobs: 'Run background jobs, get their progress, and get the state of queues and of the service.',
  Public: 'Requests without an API key: redirects, previews, reports, health, metrics and this document.',
} as const;

export type Tag = keyof typeof tags;

/** The tags as OpenAPI lists them. */
export const tagObjects = Object.entries(tags).map(([name, description]) => ({ name, description }));
