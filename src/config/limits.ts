import { wholeNumberText } from '../validation/integer.ts';

/** Settings of the web process: what one client, one API key and one process may use. */
export const limits = {
  RATE_LIMIT_PER_KEY: wholeNumberText(0, 10_000_000)
    .default(6_000)
    .describe(
      'Requests per minute of one API key in all web processes; further requests get 429; 0 (here and in the next two settings): no limit. While Redis is unavailable, each process allows its share by `WEB_CONCURRENCY`',
    ),
  RATE_LIMIT_PER_IP: wholeNumberText(0, 10_000_000)
    .default(600)
    .describe(
      'Requests per minute from one IP address (IPv6: /64) without a valid API key; redirects do not count',
    ),
  RATE_LIMIT_NOT_FOUND_PER_IP: wholeNumberText(0, 10_000_000)
    .default(120)
    .describe('Unknown short codes per minute from one IP address; further unknown codes get 429'),
  MAX_CONNECTIONS: wholeNumberText(1, 1_000_000)
    .default(4_096)
    .describe(
      'Open client connections per web process, or fewer if `ulimit -n` is too low; at the limit idle connections are closed and new ones rejected',
    ),
  MAX_REQUESTS: wholeNumberText(1, 1_000_000)
    .default(4_096)
    .describe(
      'Requests in progress per web process, without redirects from the memory cache; further requests get 503, except health, metrics and Bull Board',
    ),
  MAX_API_REQUESTS: wholeNumberText(1, 100_000)
    .default(1_000)
    .describe('API requests in progress per web process; further requests get 503'),
  MAX_CLICK_STREAMS: wholeNumberText(0, 10_000)
    .default(100)
    .describe('Open streams of click events per web process; further streams get 503'),
  MAX_EVENT_LOOP_DELAY_MS: wholeNumberText(0, 60_000)
    .default(200)
    .describe(
      'Event loop delay above which a web process answers a growing share of API requests with 503, and above twice that also redirects that are not in its memory cache; 0: never',
    ),
  IMPORT_MAX_FILE_MB: wholeNumberText(1, 100_000)
    .default(1_024)
    .describe('Maximum size of an import file, in megabytes'),
  MAX_IMPORTS_AND_EXPORTS_PER_API_KEY: wholeNumberText(1, 10_000)
    .default(10)
    .describe('Unfinished imports (with uploads) per API key, and exports per API key; further ones get 409'),
};
