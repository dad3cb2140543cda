import { z } from 'zod';
import { codeCharacters, defaultCodeRules } from '../urls/input/custom-code.ts';
import { urlLengths } from '../urls/input/destination-policy.ts';
import { unsafeSchemes } from '../urls/input/served-url.ts';
import { redirectStatuses } from '../urls/url.ts';
import { wholeNumberText } from '../validation/integer.ts';
import { parseUrl } from '../validation/parse-url.ts';
import { storedText } from '../validation/text.ts';
import { hostAndPort, isBase, listOf, url } from './values.ts';

/** A URL that pages link to, as browsers write it. */
const pageUrl = (protocol: RegExp, example: string) =>
  url(protocol, example)
    .transform((value) => new URL(value))
    .refine(
      ({ username, password }) => username + password === '',
      'must not contain a user name or password',
    )
    .transform(({ href }) => href);

/** Settings of the web process: where short URLs are, what they may be, and how they redirect. */
export const links = {
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
  REDIRECT_STATUS: z.coerce
    .number('must be 301, 302, 307 or 308')
    .pipe(z.literal(redirectStatuses, 'must be 301, 302, 307 or 308'))
    .default(301)
    .describe('Status of a redirect: 301, 302, 307 or 308'),
  REDIRECT_MAX_AGE_SECONDS: wholeNumberText(0, 31_536_000)
    .default(0)
    .describe('How long a browser may cache a redirect; clicks from the cache of a browser are not counted'),
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
  SITE_NAME: storedText({ max: 60, clean: (text) => text.trim() })
    .refine((name) => !/\p{Bidi_Control}/u.test(name), 'must not contain bidirectional controls')
    .default('Linkmill')
    .describe('Name of the service on its pages for visitors'),
  HOME_URL: pageUrl(/^https?$/, 'https://example.com')
    .optional()
    .describe('Page to which the name of the service links; default: the page at `/`'),
  CONTACT_URL: pageUrl(/^(https?|mailto)$/, 'https://example.com/contact or mailto:links@example.com')
    .optional()
    .describe('Page or e-mail address to which the pages for visitors link as contact; default: no link'),
  KEY_POOL_LOW_WATERMARK: wholeNumberText(1, 10_000_000)
    .optional()
    .describe('Keys in the pool below which a replenishment starts; default: half of `KEY_POOL_TARGET`'),
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
};

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
