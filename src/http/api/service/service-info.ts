import { z } from 'zod';
import { clickDetails } from '../../../config/clicks.ts';
import type { WebConfig } from '../../../config/web.ts';
import { isCodeCaseIgnored } from '../../../keys/short-code.ts';
import { megabyte } from '../../../transfers/imports/imports.ts';
import { codeCharacters } from '../../../urls/input/custom-code.ts';
import { textLimits } from '../../../urls/input/texts.ts';
import { version } from '../../../version.ts';
import type { Handlers, Operations } from '../operation.ts';
import { maxItems } from '../settle-each.ts';
import { maxListItems } from '../urls/find-urls.ts';

const days = (what: string) => z.int().describe(`Days until ${what}`);
const most = (what: string) => z.int().describe(`Maximum ${what}`);

const serviceInfo = z
  .object({
    service: z.literal('linkmill'),
    version: z.string(),
    site_name: z.string().describe('Name of the service on its pages'),
    base_url: z.url().describe('Public origin of short URLs, with a path if they are below one'),
    click_detail: z.enum(clickDetails).describe('What is stored of clicks; see `CLICK_DETAIL`'),
    retention: z.object({
      deleted_urls_days: days('a deleted or expired short URL is purged'),
      code_reuse_days: days('the generated code of a purged short URL can be generated again'),
      click_events_days: days('click events are deleted; roll-ups are kept permanently'),
      transfers_days: days('finished imports and exports are deleted'),
    }),
    code: z
      .object({
        min_length: z.int(),
        max_length: z.int(),
        characters: z
          .enum(codeCharacters)
          .describe(
            '`ascii`: letters, digits, "-" and "_"; `dots`: also single dots between them; `unicode`: also letters and digits of every script',
          ),
        ignores_case: z.boolean().describe('Whether codes are stored in lower case and match in any case'),
      })
      .describe('Rules of `custom_code`'),
    schemes: z.array(z.string()).describe('Schemes that an original URL can have'),
    limits: z.object({
      bulk_items: most('number of items of a bulk request'),
      list_items: most('`limit` of `GET /api/v1/urls`'),
      url_length: most('length of an original or fallback URL'),
      title_length: most('length of a title'),
      notes_length: most('length of notes'),
      tags: most('number of tags of a short URL'),
      tag_length: most('length of a tag'),
      import_bytes: most('size of an import file'),
      transfers: most('number of unfinished imports, and of exports, of an API key'),
      requests_per_minute: z
        .int()
        .nullable()
        .describe('Rate limit of an API key in all web processes; null: no limit'),
    }),
    features: z.object({
      click_events: z.boolean().describe('Whether click events are stored, which filters of analytics need'),
      visitors: z.boolean().describe('Whether distinct visitors are counted'),
      countries: z.boolean().describe('Whether the country of a click can be known'),
      private_urls: z.boolean().describe('Whether short URLs may redirect to private addresses'),
    }),
  })
  .meta({ id: 'ServiceInfo' });

/** What a client needs to know about the service and its settings. */
export const serviceInfoOperations = {
  getServiceInfo: {
    method: 'get',
    path: '/api/v1/service',
    tag: 'Service',
    summary: 'Get service information',
    description: 'Version, public address, retention periods, code rules, limits and features. No secrets.',
    scope: 'any',
    replies: { 200: { description: 'Information about the service.', body: serviceInfo } },
    problems: [],
  },
} as const satisfies Operations;

export const serviceInfoHandlers = ({
  config,
}: {
  config: WebConfig;
}): Handlers<typeof serviceInfoOperations> => ({
  getServiceInfo: async () => await Promise.resolve({ status: 200, body: describeService(config) }),
});

const describeService = (config: WebConfig): z.input<typeof serviceInfo> => ({
  service: 'linkmill',
  version,
  site_name: config.SITE_NAME,
  base_url: config.BASE_URL,
  click_detail: config.CLICK_DETAIL,
  retention: {
    deleted_urls_days: config.RETENTION_DAYS,
    code_reuse_days: config.CODE_REUSE_AFTER_DAYS,
    click_events_days: config.ANALYTICS_RETENTION_DAYS,
    transfers_days: config.TRANSFER_RETENTION_DAYS,
  },
  code: {
    min_length: config.CUSTOM_CODE_MIN_LENGTH,
    max_length: config.CUSTOM_CODE_MAX_LENGTH,
    characters: config.CUSTOM_CODE_CHARACTERS,
    ignores_case: isCodeCaseIgnored(),
  },
  schemes: ['http', 'https', ...config.ALLOWED_SCHEMES],
  limits: {
    bulk_items: maxItems,
    list_items: maxListItems,
    url_length: config.MAX_URL_LENGTH,
    title_length: textLimits.title,
    notes_length: textLimits.notes,
    tags: textLimits.tags,
    tag_length: textLimits.tag,
    import_bytes: config.IMPORT_MAX_FILE_MB * megabyte,
    transfers: config.MAX_IMPORTS_AND_EXPORTS_PER_API_KEY,
    requests_per_minute: config.RATE_LIMIT_PER_KEY || null,
  },
  features: {
    click_events: config.CLICK_DETAIL === 'full',
    visitors: config.CLICK_DETAIL === 'full',
    countries:
      config.CLICK_DETAIL !== 'count' && Boolean(config.COUNTRY_HEADER ?? config.GEOIP_DATABASE_PATH),
    private_urls: config.ALLOW_PRIVATE_URLS,
  },
});
