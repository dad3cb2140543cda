import { z } from 'zod';
import { wholeNumberText } from '../validation/integer.ts';
import { clicks } from './clicks.ts';
import { common, endpoint } from './common.ts';
import { databaseSettings } from './database.ts';
import { limits } from './limits.ts';
import { links } from './links.ts';
import { checkSingleSignOn, singleSignOn } from './single-sign-on.ts';
import { flag, listOf, readOrigin } from './values.ts';

/** Settings of the web process (`src/web.ts`). */
export const webSettings = z
  .object({
    ...common,
    ...links,
    ...clicks,
    ...limits,
    ...singleSignOn,
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
    WEB_CONCURRENCY: wholeNumberText(1, 256)
      .default(1)
      .describe('Web processes that share the port, each with its own connections, cache and metrics'),
    ALLOW_PRIVATE_URLS: flag(false).describe(
      'Allows short URLs that redirect to private, loopback and link-local addresses',
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
    BULL_BOARD_USER: z.string().default('admin').describe('User of Bull Board, with `BULL_BOARD_PASSWORD`'),
    BULL_BOARD_PASSWORD: z
      .string()
      .min(8, 'must be at least 8 characters')
      .optional()
      .describe(
        'Password of Bull Board for browsers without a session; without it only sessions with the scope `jobs:run` have access',
      ),
    BULL_BOARD_READ_ONLY: flag(false).describe('Whether Bull Board is read-only'),
  })
  .refine((settings) => (settings.KEY_POOL_LOW_WATERMARK ?? 0) < settings.KEY_POOL_TARGET, {
    path: ['KEY_POOL_LOW_WATERMARK'],
    error: 'must be less than KEY_POOL_TARGET',
  })
  .refine((settings) => settings.CUSTOM_CODE_MIN_LENGTH <= settings.CUSTOM_CODE_MAX_LENGTH, {
    path: ['CUSTOM_CODE_MIN_LENGTH'],
    error: 'must be at most CUSTOM_CODE_MAX_LENGTH',
  })
  .superRefine(checkSingleSignOn);

/** Settings of `npm run sign-in` (`src/cli/sign-in.ts`). */
export const signInSettings = databaseSettings.extend({ BASE_URL: webSettings.shape.BASE_URL });

export type WebConfig = Readonly<z.infer<typeof webSettings>>;
