import { z } from 'zod';
import { codeCharacters, defaultCodeRules } from '../urls/input/custom-code.ts';
import { urlLengths } from '../urls/input/destination-policy.ts';
import { unsafeSchemes } from '../urls/input/served-url.ts';
import { redirectStatuses } from '../urls/url.ts';
import { wholeNumberText } from '../validation/integer.ts';
import { parseUrl } from '../validation/parse-url.ts';
import { common, endpoint } from './common.ts';
import { flag, hostAndPort, isBase, listOf, readOrigin, url } from './values.ts';

/** Settings of the web process (`src/web.ts`). */
export const webSettings = z
  .object({
    ...common,
    BASE_URL: url(/^https?$/, 'https://sho.rt')
      .refine((value) => isBase(parseUrl(value)), {
        error: 'must be an origin alone, or with a path, such as https://sho.rt or https://example.com/go',
        abort: true,
      })
      .transform((value) => new URL(value).href.replace(/\/$/, ''))
      .describe(
        'Public origin of short URLs, with a path if they are below one; requests are answered with this path and without it, and short URLs may redirect to other paths of that origin',
      ),
    ALIAS_HOSTS: z
      .string()
      .default('')
      .transform(listOf)
      .refine((hosts) => hosts.every((host) => hostAndPort(host)), {
        error: 'must be host names, such as sho.rt,www.sho.rt',
        abort: true,
      })
      .transform((hosts) => hosts.map((host) => hostAndPort(host)!))
      .describe(
        'Further host names of this service, comma-separated, each with the port of `BASE_URL` unless it has its own; short URLs may not redirect to them',
      ),
    CORS_ORIGINS: z
      .string()
      .default('')
      .transform(listOf)
      .refine((origins) => origins.every((origin) => readOrigin(origin)), {
        error: 'must be origins, such as https://app.example, or *',
        abort: true,
      })
      .transform((origins) => origins.map((origin) => readOrigin(origin)!))
      .describe(
        'Origins whose pages may use the API from a browser, comma-separated; `*`: every origin; default: none',
      ),
    PORT: wholeNumberText(0, 65_535).default(3_000).describe('Port of the web process'),
    HOST: endpoint.HOST,
    TRUSTED_PROXY_HOPS: wholeNumberText(0, 16)
      .default(0)
      .describe(
        'Reverse proxies in front that each add an address to `X-Forwarded-For`; 0: the header is ignored, and the address of the connection counts',
      ),
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
    WEB_CONCURRENCY: wholeNumberText(1, 256)
      .default(1)
      .describe('Web processes that share the port, each with its own connections, cache and metrics'),
    REDIRECT_STATUS: z.coerce
      .number('must be 301, 302, 307 or 308')
      .pipe(z.literal(redirectStatuses, 'must be 301, 302, 307 or 308'))
      .default(301)
      .describe('Status of a redirect: 301, 302, 307 or 308'),
    REDIRECT_MAX_AGE_SECONDS: wholeNumberText(0, 31_536_000)
      .default(0)
      .describe(
        'How long a browser may cache a redirect; clicks from the cache of a browser are not counted',
      ),
    ALLOW_PRIVATE_URLS: flag(false).describe(
      'Allows short URLs that redirect to private, loopback and link-local addresses',
    ),
    MAX_URL_LENGTH: wholeNumberText(64, urlLengths.most)
      .default(urlLengths.usual)
      .describe(
        'Maximum length of an original or fallback URL, up to 8192; some clients do not follow a URL above 2048',
      ),
    ALLOWED_SCHEMES: z
      .string()
      .default('')
      .transform(readSchemes)
      .superRefine((schemes, context) => {
        for (const scheme of schemes) {
          const message = unsafeSchemes.includes(scheme)
            ? `must not contain ${scheme}: it is not safe to follow`
            : 'must be schemes, such as mailto,tel';
          if (unsafeSchemes.includes(scheme) || !/^[a-z][a-z\d+.-]*$/.test(scheme))
            context.addIssue({ code: 'custom', message });
        }
      })
      .describe(
        'Additional schemes to which short URLs may redirect, comma-separated, such as `mailto,tel,intent,magnet`; schemes that run code or show local files, such as `javascript` and `data`, are rejected',
      ),
    CUSTOM_CODE_MIN_LENGTH: wholeNumberText(1, 64)
      .default(defaultCodeRules.minLength)
      .describe('Minimum length of a `custom_code`; imports accept codes from 1 character'),
    CUSTOM_CODE_MAX_LENGTH: wholeNumberText(1, 64)
      .default(defaultCodeRules.maxLength)
      .describe('Maximum length of a `custom_code`; imports accept codes of up to 64 characters'),
    CUSTOM_CODE_CHARACTERS: z
      .enum(codeCharacters, { error: `must be one of ${codeCharacters.join(', ')}` })
      .default(defaultCodeRules.characters)
      .describe(
        'Characters of a `custom_code`: `ascii`, letters, digits, `-` and `_`; `dots`, also single dots between them; `unicode`, also letters and digits of every script, but no mix of Latin, Greek and Cyrillic',
      ),
    KEY_POOL_LOW_WATERMARK: wholeNumberText(1, 10_000_000)
      .optional()
      .describe('Keys in the pool below which a replenishment starts; default: half of `KEY_POOL_TARGET`'),
    CLICK_ACK_MS: wholeNumberText(1, 10_000)
      .default(250)
      .describe('Time limit in milliseconds for a redirect to wait until Redis has its click'),
    MEMORY_CACHE_MAX_ENTRIES: wholeNumberText(1, 10_000_000)
      .default(50_000)
      .describe(
        'Maximum number of entries in the memory cache of a web process; an entry is valid for at most 2 s',
      ),
    MEMORY_CACHE_MAX_MB: wholeNumberText(1, 100_000)
      .default(32)
      .describe('Approximate size limit of the memory cache, in megabytes'),
    STALE_IF_ERROR_SECONDS: wholeNumberText(0, 86_400)
      .default(60)
      .describe(
        'Age up to which stale entries of the memory cache are used while PostgreSQL and Redis are unavailable; 0: never',
      ),
    CLICK_ACK: flag(true).describe(
      'Whether a redirect waits until Redis has its click; with `false` it does not wait',
    ),
    CLICK_BUFFER_MAX_ENTRIES: wholeNumberText(1_000, 10_000_000)
      .default(100_000)
      .describe(
        'Entries (short URL, minute and dimensions, 200 to 400 bytes each) of clicks that a web process keeps in memory; beyond it, clicks lose visitors, then other dimensions, then minutes',
      ),
    CLICK_DETAIL: z
      .enum(['full', 'rollup', 'count'], { error: 'must be one of full, rollup, count' })
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
      .describe('Batches waiting in Redis above which clicks are written directly to PostgreSQL'),
    CLICK_LAG_LIMIT_SECONDS: wholeNumberText(1, 86_400)
      .default(30)
      .describe('Age of the oldest unflushed batch above which `/health` is degraded'),
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
      .describe(
        'Unfinished imports (with uploads) per API key, and exports per API key; further ones get 409',
      ),
    SHUTDOWN_DRAIN_MS: wholeNumberText(0, 60_000)
      .default(1_000)
      .describe('Time after SIGTERM in which kept-alive connections are still served before they are closed'),
    ACCESS_LOG: z
      .enum(['off', 'errors', 'sampled', 'all'], { error: 'must be one of off, errors, sampled, all' })
      .default('off')
      .describe(
        'Requests that are logged: none, those with a 5xx response, one in `ACCESS_LOG_SAMPLE`, or all',
      ),
    ACCESS_LOG_SAMPLE: wholeNumberText(1, 1_000_000)
      .default(100)
      .describe('With `ACCESS_LOG=sampled`: one request in this many is logged'),
    METRICS_TOKEN: endpoint.METRICS_TOKEN,
    METRICS_PUBLIC: endpoint.METRICS_PUBLIC,
    BULL_BOARD_USER: z.string().default('admin').describe('Login of Bull Board'),
    BULL_BOARD_PASSWORD: z
      .string()
      .min(8, 'must be at least 8 characters')
      .optional()
      .describe('Password of Bull Board; without it Bull Board is off'),
    BULL_BOARD_READ_ONLY: flag(false).describe('Whether Bull Board is read-only'),
  })
  .refine((settings) => (settings.KEY_POOL_LOW_WATERMARK ?? 0) < settings.KEY_POOL_TARGET, {
    path: ['KEY_POOL_LOW_WATERMARK'],
    error: 'must be less than KEY_POOL_TARGET',
  })
  .refine((settings) => settings.CUSTOM_CODE_MIN_LENGTH <= settings.CUSTOM_CODE_MAX_LENGTH, {
    path: ['CUSTOM_CODE_MIN_LENGTH'],
    error: 'must be at most CUSTOM_CODE_MAX_LENGTH',
  });

/** Splits a list of schemes and removes a trailing ":" or "://". */
function readSchemes(text: string): string[] {
  const names = text.split(',').map((name) =>
    name
      .trim()
      .toLowerCase()
      .replace(/:(\/\/)?$/, ''),
  );
  return [...new Set(names.filter(Boolean))];
}

export type WebConfig = Readonly<z.infer<typeof webSettings>>;

type OwnHosts = Pick<WebConfig, 'BASE_URL' | 'ALIAS_HOSTS'>;

/** The hosts of this service, with ports other than the default, and the path of the base URL if it has one. A name without a port is listed
 *  with the port of the base URL and without one. */
export function ownHostsOf({ BASE_URL, ALIAS_HOSTS }: OwnHosts): string[] {
  const { host, port, pathname } = new URL(BASE_URL);
  const names =
    port === '' ? [] : ALIAS_HOSTS.filter((name) => !hasPort(name)).map((name) => `${name}:${port}`);
  return [pathname === '/' ? host : `${host}${pathname}`, ...ALIAS_HOSTS, ...names];
}

/** The host names of this service, without ports. */
export const ownHostNamesOf = ({ BASE_URL, ALIAS_HOSTS }: OwnHosts): string[] => [
  new URL(BASE_URL).hostname,
  ...ALIAS_HOSTS.map((name) => name.replace(portPattern, '')),
];

const portPattern = /:\d+$/;
const hasPort = (name: string) => portPattern.test(name);
