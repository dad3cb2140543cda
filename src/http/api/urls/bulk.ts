import { z } from 'zod';
import { requesterOf } from '../../../api-keys/api-key.ts';
import type { Log } from '../../../log.ts';
import type { CustomCodeRules } from '../../../urls/input/custom-code.ts';
import type { UrlLists } from '../../../urls/search/list.ts';
import type { Urls } from '../../../urls/urls.ts';
import { boolean } from '../../../validation/boolean.ts';
import { validate } from '../../middleware/validation.ts';
import { type Handlers, type Operations, weigh } from '../operation.ts';
import { maxItems, settled, settleEach } from '../settle-each.ts';
import {
  findTargets,
  maxTargetsBytes,
  nextCursor,
  targets,
  targetsDescription,
  weightOfTargets,
} from './bulk-targets.ts';
import { createUrl } from './create-url.ts';
import { presentUrl, shortUrl } from './presenter.ts';
import { bulkUrlPatch, createUrlInput, toUrlPatch } from './schemas.ts';

const tag = 'Bulk';
/** 1,000 original URLs of the maximum length, with titles and tags. */
const maxCreateBytes = 4 * 1024 * 1024;
/** Creates that run together share SQL statements. */
const createConcurrency = 500;
/** Items that each take a PostgreSQL connection or a password hash, which other requests need too. */
const costlyConcurrency = 5;

const costlyFields = ['password', 'find_if_exists', 'restore_deleted'] as const;

/** An item with a password counts as a whole request, since hashing dominates its cost. */
const weightOfCreate = ({ body: { urls } }: { body: { urls: unknown[] } }) => {
  const hashed = urls.filter((item) => hasField(item, 'password')).length;
  return hashed + weigh(urls.length - hashed);
};
/** Operations on up to 1,000 short URLs. */
export const bulkOperations = {
  createUrls: {
    method: 'post',
    path: '/api/v1/urls/bulk',
    tag,
    summary: 'Bulk create short URLs',
    description:
      'Each item has its own result, in the same order; a failed item does not affect the others. With an `Idempotency-Key` each item is created once, and a repeated request retries the failed items.',
    scope: 'urls:write',
    isIdempotent: true,
    weightOf: weightOfCreate,
    body: z.strictObject(
      {
        urls: z
          // Each item is validated on its own, and documented as in a single create.
          .array(z.unknown().meta({ override: { $ref: '#/components/schemas/UrlInput' } }), 'must be a list')
          .min(1, 'must contain at least 1 short URL')
          .max(maxItems, `must contain at most ${maxItems} short URLs`)
          .describe('The short URLs to create'),
      },
      'must be a JSON object',
    ),
    maxBodyBytes: maxCreateBytes,
    replies: {
      200: {
        description: 'The result of each item.',
        body: z.object({
          results: z.array(
            z.union([settled(201, { url: shortUrl }), z.object({ status: z.literal(200), url: shortUrl })]),
          ),
        }),
      },
    },
    problems: [],
  },
  updateUrls: {
    method: 'post',
    path: '/api/v1/urls/bulk/change',
    tag,
    summary: 'Bulk update short URLs',
    description: targetsDescription,
    scope: 'urls:write',
    weightOf: weightOfTargets,
    body: z.strictObject(
      { ...targets, changes: bulkUrlPatch.describe('The patch for each short URL') },
      'must be a JSON object',
    ),
    maxBodyBytes: maxTargetsBytes,
    replies: {
      200: {
        description: 'The result of each short URL.',
        body: z.object({
          results: z.array(
            z.intersection(z.object({ short_code: z.string() }), settled(200, { url: shortUrl })),
          ),
          next_cursor: nextCursor,
        }),
      },
    },
    problems: [],
  },
  deleteUrls: {
    method: 'post',
    path: '/api/v1/urls/bulk/delete',
    tag,
    summary: 'Bulk delete short URLs',
    description: targetsDescription,
    scope: 'urls:write',
    weightOf: weightOfTargets,
    body: z.strictObject(
      {
        ...targets,
        purge: boolean
          .optional()
          .describe('As in a single delete. Short URLs that are already deleted need `short_codes`'),
      },
      'must be a JSON object',
    ),
    maxBodyBytes: maxTargetsBytes,
    replies: {
      200: {
        description: 'The result of each short URL.',
        body: z.object({
          results: z.array(z.intersection(z.object({ short_code: z.string() }), settled(204, {}))),
          next_cursor: nextCursor,
        }),
      },
    },
    problems: [],
  },
} as const satisfies Operations;

interface Deps {
  urls: Urls;
  urlSearch: Pick<UrlLists, 'list'>;
  baseUrl: string;
  /** The operator's rules for custom codes. */
  codeRules: CustomCodeRules;
  log: Log;
}

export const bulkHandlers = ({
  urls,
  urlSearch,
  baseUrl,
  codeRules,
  log,
}: Deps): Handlers<typeof bulkOperations> => {
  const urlInput = createUrlInput(codeRules);

  return {
    createUrls: async ({ body, apiKey, idempotencyKey, ctx }) => {
      const isCostly = body.urls.some((item) => costlyFields.some((field) => hasField(item, field)));
      const concurrency = isCostly ? costlyConcurrency : createConcurrency;
      if (idempotencyKey) await urls.requireSameRequest(apiKey.id, idempotencyKey);
      let repeats = 0;
      const results = await settleEach(body.urls, { concurrency, log, ctx, baseUrl }, async (input, item) => {
        const keyOfItem = idempotencyKey && { ...idempotencyKey, item };
        const { url, isNew, isRepeat } = await createUrl(urls, validate(urlInput, input), {
          apiKey,
          idempotencyKey: keyOfItem,
        });
        if (isRepeat) repeats += 1;
        return { status: isNew ? (201 as const) : (200 as const), url: presentUrl(url, baseUrl) };
      });
      return {
        status: 200,
        ...(repeats > 0 && { headers: { 'Idempotent-Replayed': 'true' } }),
        body: { results },
      };
    },

    updateUrls: async ({ body, owner, ctx }) => {
      const patch = toUrlPatch(body.changes, new Date());
      const { codes, next } = await findTargets(urlSearch, body, owner);
      const apply = await urls.preparePatch(patch);
      const results = await settleEach(
        codes,
        { concurrency: costlyConcurrency, log, ctx, baseUrl },
        async (code) => {
          const url = await urls.withClicks(await apply(code, owner));
          return { status: 200 as const, url: presentUrl(url, baseUrl) };
        },
      );
      return { status: 200, body: { results: withCodes(codes, results), next_cursor: next } };
    },

    deleteUrls: async ({ body, apiKey, owner, ctx }) => {
      const { codes, next } = await findTargets(urlSearch, body, owner);
      const results = await settleEach(
        codes,
        { concurrency: costlyConcurrency, log, ctx, baseUrl },
        async (code) => {
          if (body.purge === true) await urls.purge(code, requesterOf(apiKey));
          else await urls.delete(code, owner);
          return { status: 204 as const };
        },
      );
      return { status: 200, body: { results: withCodes(codes, results), next_cursor: next } };
    },
  };
};

const withCodes = <Result extends object>(codes: string[], results: Result[]) =>
  results.map((result, i) => Object.assign({ short_code: codes[i]! }, result));

/** Whether an item, which is not validated yet, has a truthy field of this name. */
const hasField = (item: unknown, field: (typeof costlyFields)[number]) =>
  typeof item === 'object' && item !== null && Boolean(Reflect.get(item, field));
