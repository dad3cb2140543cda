import { z } from 'zod';
import { parseUrl } from '../parse-url.ts';
import { redirectStatuses } from '../urls/url.ts';
import { wholeNumberText } from '../whole-number.ts';
import { common, endpoint } from './common.ts';
import { flag, hostname, isOrigin, url } from './values.ts';

/** Settings of the web process (`src/web.ts`). */
export const webSettings = z
  .object({
    ...common,
    BASE_URL: url(/^https?$/, 'https://sho.rt')
      .refine((value) => isOrigin(parseUrl(value)), {
        error: 'must be an origin alone, such as https://sho.rt',
        abort: true,
      })
      .transform((value) => new URL(value).origin)
      .describe('Public origin of short URLs'),
    OWN_HOSTS: z
      .string()
      .default('')
      .transform((value) =>
        value
          .split(',')
          .map((host) => host.trim())
          .filter(Boolean),
      )
      .refine((hosts) => hosts.every((host) => hostname(host)), {
        error: 'must be host names, such as sho.rt,www.sho.rt',
        abort: true,
      })
      .transform((hosts) => hosts.map((host) => hostname(host)!))
      .describe('Further host names of this service, comma-separated; no short URL may lead to them'),
    PORT: wholeNumberText(0, 65_535).default(3_000).describe('Port of the web process'),
    HOST: endpoint.HOST,
    TRUSTED_PROXY_HOPS: wholeNumberText(0, 16)
      .default(0)
      .describe(
        "Proxies in front, each of which adds an address to `X-Forwarded-For`: so many from its end is the client's; 0: that of the connection",
      ),
    RATE_LIMIT_PER_KEY: wholeNumberText(0, 10_000_000)
      .default(6_000)
      .describe(
        'Requests per minute of one API key, of all web processes together; beyond them 429; 0 (of this and the next two): no limit. While Redis is away each process gives out its share by `WEB_CONCURRENCY`',
      ),
    RATE_LIMIT_PER_ADDRESS: wholeNumberText(0, 10_000_000)
      .default(600)
      .describe(
        'Requests per minute from one address (an IPv6 /64) without a valid API key: pages for everybody, and those that lack a key or login; redirects are none of them',
      ),
    UNKNOWN_CODES_PER_ADDRESS: wholeNumberText(0, 10_000_000)
      .default(120)
      .describe('Unknown short codes per minute from one address; beyond them 429, for unknown ones alone'),
    WEB_CONCURRENCY: wholeNumberText(1, 256)
      .default(1)
      .describe('Web processes behind the port, each with connections, cache and metrics of its own'),
    REDIRECT_STATUS: z.coerce
      .number('must be 301, 302, 307 or 308')
      .pipe(z.literal(redirectStatuses, 'must be 301, 302, 307 or 308'))
      .default(301)
      .describe('Status of a redirect: 301, 302, 307 or 308'),
    REDIRECT_MAX_AGE_SECONDS: wholeNumberText(0, 31_536_000)
      .default(0)
      .describe('How long a browser may keep a redirect without asking again (such clicks are not counted)'),
    ALLOW_PRIVATE_URLS: flag(false).describe(
      'Lets short URLs lead to private, loopback and link-local addresses',
    ),
    KEY_POOL_LOW_WATER: wholeNumberText(1, 10_000_000)
      .optional()
      .describe('Keys in the pool below which it is refilled at once; half of `KEY_POOL_TARGET` unless set'),
    CLICK_ACK_MS: wholeNumberText(1, 10_000)
      .default(250)
      .describe('Longest time that a redirect waits until its click is safe in Redis'),
    PROCESS_CACHE_ENTRIES: wholeNumberText(1, 10_000_000)
      .default(50_000)
      .describe('Short URLs that a web process knows by heart at most, for at most 2 s'),
    PROCESS_CACHE_MB: wholeNumberText(1, 100_000)
      .default(32)
      .describe('Memory that they may take, about, in megabytes'),
    STALE_WHILE_DOWN_SECONDS: wholeNumberText(0, 86_400)
      .default(60)
      .describe(
        'How long a web process goes on redirecting short URLs it knew, from when it read them, while neither store answers; 0: not at all',
      ),
    CLICK_ACK: z
      .enum(['on', 'off'], { error: 'must be on or off' })
      .default('on')
      .describe('Whether a redirect waits until its click is safe in Redis; `off` answers first'),
    CLICK_MEMORY_ENTRIES: wholeNumberText(1_000, 10_000_000)
      .default(100_000)
      .describe(
        'Entries (short URL, minute and who clicked, 200 to 400 bytes each) of clicks that a web process keeps in memory; where that is not enough, they lose visitors, then other details, then minutes',
      ),
    CLICK_DETAIL: z
      .enum(['full', 'rollup', 'count'], { error: 'must be one of full, rollup, count' })
      .default('full')
      .describe(
        'What is kept of a click: `full`, a row with country, referrer, browser and a visitor id; `rollup`, sums by those without visitors; `count`, its number by quarter of an hour, with everything else unknown',
      ),
    COUNTRY_HEADER: z
      .string()
      .regex(/^[A-Za-z][\w-]{0,63}$/, 'must be the name of a header, such as CF-IPCountry')
      .transform((name) => name.toLowerCase())
      .optional()
      .describe('Header in which a CDN in front names the country of a visitor, such as `CF-IPCountry`'),
    GEOIP_MMDB: z
      .string()
      .optional()
      .describe(
        'File in MaxMind format that tells the country of an address where no header does; read again when it is replaced',
      ),
    HONOUR_DO_NOT_TRACK: flag(true).describe(
      'Whether a click with `Sec-GPC: 1` or `DNT: 1` gets neither visitor id nor row; it counts all the same',
    ),
    CLICK_STREAM_BATCHES: wholeNumberText(1_000, 100_000_000)
      .default(200_000)
      .describe('Batches waiting in Redis beyond which clicks go straight to PostgreSQL'),
    CLICK_LAG_LIMIT_SECONDS: wholeNumberText(1, 86_400)
      .default(30)
      .describe('Age of the oldest batch on its way to PostgreSQL beyond which `/health` says degraded'),
    MAX_CONNECTIONS: wholeNumberText(1, 1_000_000)
      .default(4_096)
      .describe(
        'Connections to clients that a web process serves at once, or fewer where `ulimit -n` is too low for them: at the limit idle ones are closed, further ones refused',
      ),
    MAX_REQUESTS: wholeNumberText(1, 1_000_000)
      .default(4_096)
      .describe(
        'Requests that a web process works on at once, those answered from its memory cache apart; further ones are answered 503, but for health, metrics and Bull Board',
      ),
    MAX_API_REQUESTS: wholeNumberText(1, 100_000)
      .default(1_000)
      .describe('Requests of the API that a web process works on at once; further ones are answered 503'),
    MAX_CLICK_STREAMS: wholeNumberText(0, 10_000)
      .default(100)
      .describe('Streams of clicks that a web process has open at once; further ones are answered 503'),
    MAX_EVENT_LOOP_DELAY_MS: wholeNumberText(0, 60_000)
      .default(200)
      .describe(
        'Delay of its event loop above which a web process answers a growing share of the requests of the API with 503, and above twice that of redirects which it does not know by heart too; 0 never',
      ),
    IMPORT_MAX_MB: wholeNumberText(1, 100_000)
      .default(1_024)
      .describe('Longest file that may be uploaded as an import, in megabytes'),
    MAX_TRANSFERS_PER_KEY: wholeNumberText(1, 10_000)
      .default(10)
      .describe(
        'Imports of an API key that are not over, uploads included, and exports that it has, at once; further ones are answered 409',
      ),
    SHUTDOWN_GRACE_MS: wholeNumberText(0, 60_000)
      .default(1_000)
      .describe('Time after SIGTERM in which kept-alive connections are still served and wound up'),
    ACCESS_LOG: z
      .enum(['off', 'errors', 'sampled', 'all'], { error: 'must be one of off, errors, sampled, all' })
      .default('off')
      .describe('Requests that are logged: none, those answered with 500 and above, one in so many, all'),
    ACCESS_LOG_SAMPLE: wholeNumberText(1, 1_000_000)
      .default(100)
      .describe('With `ACCESS_LOG=sampled`: one request in so many is logged'),
    METRICS_TOKEN: endpoint.METRICS_TOKEN,
    METRICS_OPEN: endpoint.METRICS_OPEN,
    BULL_BOARD_USER: z.string().default('admin').describe('Login of Bull Board'),
    BULL_BOARD_PASSWORD: z
      .string()
      .min(8, 'must be at least 8 characters')
      .optional()
      .describe('Password of Bull Board; without one Bull Board is off'),
    BULL_BOARD_READ_ONLY: flag(false).describe('Bull Board shows and changes nothing'),
  })
  .refine((settings) => (settings.KEY_POOL_LOW_WATER ?? 0) < settings.KEY_POOL_TARGET, {
    path: ['KEY_POOL_LOW_WATER'],
    error: 'must be less than KEY_POOL_TARGET',
  });

export type WebConfig = Readonly<z.infer<typeof webSettings>>;

/** The host names of this service. */
export const ownHostsOf = ({ BASE_URL, OWN_HOSTS }: Pick<WebConfig, 'BASE_URL' | 'OWN_HOSTS'>) => [
  new URL(BASE_URL).hostname,
  ...OWN_HOSTS,
];
