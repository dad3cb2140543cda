import { z } from 'zod';
import { wholeNumberText } from '../validation/integer.ts';
import { flag } from './values.ts';

/** What is stored of clicks, from the most to the least. */
export const clickDetails = ['full', 'rollup', 'count'] as const;

/** Settings of the web process: how clicks are counted, and what is stored of them. */
export const clicks = {
  CLICK_ACK_MS: wholeNumberText(1, 10_000)
    .default(250)
    .describe('Time limit in milliseconds for a redirect to wait until Redis has its click'),
  CLICK_ACK: flag(true).describe(
    'Whether a redirect waits until Redis has its click; with `false` it does not wait',
  ),
  CLICK_KEEP_SECONDS: wholeNumberText(0, 3_600)
    .default(30)
    .describe(
      'How long a web process keeps clicks after PostgreSQL has them (25 bytes each, at most 5 times `CLICK_BUFFER_MAX_ENTRIES`): those that a promoted standby lacks are counted again',
    ),
  CLICK_BUFFER_MAX_ENTRIES: wholeNumberText(1_000, 10_000_000)
    .default(100_000)
    .describe(
      'Entries (short URL, minute and dimensions, 200 to 400 bytes each) of clicks that a web process keeps in memory, for each of `CLICK_SHARDS`; beyond it, clicks lose visitors, then other dimensions, then minutes',
    ),
  CLICK_DETAIL: z
    .enum(clickDetails, { error: `must be one of ${clickDetails.join(', ')}` })
    .default('full')
    .describe(
      'What is stored of clicks: `full`, click events with country, referrer, browser and a visitor ID; `rollup`, roll-ups by these dimensions without visitors; `count`, numbers by quarter of an hour only',
    ),
  COUNTRY_HEADER: z
    .string()
    .regex(/^[A-Za-z][\w-]{0,63}$/, 'must be the name of a header, such as CF-IPCountry')
    .transform((name) => name.toLowerCase())
    .optional()
    .describe('Header in which a CDN sends the country of a visitor, such as `CF-IPCountry`'),
  GEOIP_DATABASE_PATH: z
    .string()
    .optional()
    .describe(
      'File in MaxMind format for the country of an address without such a header; read again when it is replaced',
    ),
  RESPECT_DO_NOT_TRACK: flag(true).describe(
    'Whether a click with `Sec-GPC: 1` or `DNT: 1` is counted without a visitor ID and a click event',
  ),
  CLICK_STREAM_MAX_BATCHES: wholeNumberText(1_000, 100_000_000)
    .default(200_000)
    .describe(
      'Batches waiting in Redis, for each of `CLICK_SHARDS`, above which clicks are written directly to PostgreSQL',
    ),
  CLICK_LAG_LIMIT_SECONDS: wholeNumberText(1, 86_400)
    .default(30)
    .describe('Age of the oldest unflushed batch above which `/health` is degraded'),
};
