import { z } from 'zod';
import { type ApiKey, requesterOf, ownerOf } from '../../api-keys/api-key.ts';
import { foldCode } from '../../keys/short-code.ts';
import type { Log } from '../../log.ts';
import type { CustomCodeRules } from '../../urls/input/custom-code.ts';
import type { UrlLists, UrlOrder } from '../../urls/search/list.ts';
import type { IdempotencyKey } from '../../urls/store/idempotency-key.ts';
import type { Owner } from '../../urls/store/owner.ts';
import type { Urls } from '../../urls/urls.ts';
import { validate } from '../middleware/validation.ts';
import { validationFailed } from '../problems/problem.ts';
import { basePathOf } from '../server/base-path.ts';
import { readCursor, writeCursor } from './list-cursor.ts';
import { type Handlers, type Operations, weigh } from './operation.ts';
import { maxItems, settled, settleEach } from './settle-each.ts';
import { toFilter, urlFilterBody } from './url-filter-query.ts';
import {
  createNewUrl,
  presentUrl,
  readConflictRules,
  readSettings,
  shownUrl,
  urlChanges,
} from './url-schemas.ts';

const tag = 'Many short URLs';
/** So many original URLs of the greatest length, with titles and tags. */
const maxNewBytes = 4 * 1024 * 1024;
const maxTargetsBytes = 1024 * 1024;

/** Creates share statements, so many of them may wait for the same one. */
const createsAtOnce = 500;
/** These take a connection to PostgreSQL each, or a turn in hashing passwords, of which others need some too. */
const costlyAtOnce = 5;

const costly = ['password', 'find_if_exists', 'restore_deleted'] as const;

/** In an order that no change has an influence on. */
const order: UrlOrder = { sort: 'created', isDescending: false };

/** A password costs so much that there is nothing to gain by sending it among many. */
const weightOfNew = ({ body: { urls } }: { body: { urls: unknown[] } }) => {
  const hashed = urls.filter((item) => has(item, 'password')).length;
  return hashed + weigh(urls.length - hashed);
};
const weightOfTargets = ({ body }: { body: { short_codes?: string[] } }) =>
  weigh(body.short_codes?.length ?? maxItems);

const shortCodes = z
  .array(z.string('must be text').overwrite(foldCode), 'must be a list of short codes')
  .min(1, 'must hold at least one short code')
  .max(maxItems, `must hold at most ${maxItems} short codes`)
  .optional();

/** Which short URLs a request is about. */
const targets = {
  short_codes: shortCodes,
  filter: urlFilterBody
    // No tag at all is what every short URL has.
    .refine(
      (filter) => Object.values(filter).some((value) => !Array.isArray(value) || value.length > 0),
      'must say which short URLs are meant',
    )
    .describe('As in listing short URLs')
    .optional(),
  cursor: z.string('must be text').max(200, 'must be a cursor of this filter').optional(),
};

type Targets = z.output<z.ZodObject<typeof targets>>;

const one = { short_code: z.string() };
const nextCursor = z
  .string()
  .nullable()
  .describe('By a filter: for those that it means besides these, in the next request');

const whichOnes =
  'Those of `short_codes`, or those that `filter` means: the first ' +
  `${maxItems}, and with \`cursor\` those that follow. Each has an answer of its own.`;

/** Many short URLs in one request. */
export const bulkOperations = {
  createUrls: {
    method: 'post',
    path: '/api/v1/urls/bulk',
    tag,
    summary: 'Create many short URLs',
    description:
      'Each has an answer of its own, in the same order. One that is refused harms no other. With an `Idempotency-Key` each is created once, and the same request again tries those that were refused.',
    scope: 'urls:write',
    isIdempotent: true,
    weightOf: weightOfNew,
    body: z.strictObject(
      {
        urls: z
          // Each is judged alone, and described as in creating one.
          .array(z.unknown().meta({ override: { $ref: '#/components/schemas/NewUrl' } }), 'must be a list')
          .min(1, 'must hold at least one short URL')
          .max(maxItems, `must hold at most ${maxItems} short URLs`),
      },
      'must be a JSON object',
    ),
    maxBodyBytes: maxNewBytes,
    replies: {
      200: {
        description: 'What has become of each.',
        body: z.object({
          results: z.array(
            z.union([settled(201, { url: shownUrl }), z.object({ status: z.literal(200), url: shownUrl })]),
          ),
        }),
      },
    },
    problems: [],
  },
  changeUrls: {
    method: 'post',
    path: '/api/v1/urls/bulk/change',
    tag,
    summary: 'Change many short URLs alike',
    description: whichOnes,
    scope: 'urls:write',
    weightOf: weightOfTargets,
    body: z.strictObject({ ...targets, changes: urlChanges }, 'must be a JSON object'),
    maxBodyBytes: maxTargetsBytes,
    replies: {
      200: {
        description: 'What has become of each.',
        body: z.object({
          results: z.array(z.intersection(z.object(one), settled(200, { url: shownUrl }))),
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
    summary: 'Delete many short URLs',
    description: whichOnes,
    scope: 'urls:write',
    weightOf: weightOfTargets,
    body: z.strictObject(
      {
        ...targets,
        purge: z
          .boolean('must be true or false')
          .optional()
          .describe('As in deleting one; deleted ones only by `short_codes`'),
      },
      'must be a JSON object',
    ),
    maxBodyBytes: maxTargetsBytes,
    replies: {
      200: {
        description: 'What has become of each.',
        body: z.object({
          results: z.array(z.intersection(z.object(one), settled(204, {}))),
          next_cursor: nextCursor,
        }),
      },
    },
    problems: [],
  },
} as const satisfies Operations;

interface Deps {
  urls: Urls;
  finding: Pick<UrlLists, 'list'>;
  baseUrl: string;
  /** Which codes clients may choose. */
  codeRules: CustomCodeRules;
  log: Log;
}

export const bulkHandlers = ({
  urls,
  finding,
  baseUrl,
  codeRules,
  log,
}: Deps): Handlers<typeof bulkOperations> => {
  const newUrl = createNewUrl(codeRules);

  /** The short codes that a request is about, each once, and the cursor for those that follow. */
  async function findTargets(
    { short_codes: given, filter, cursor }: Targets,
    owner: Owner,
  ): Promise<{ codes: string[]; next: string | null }> {
    if (given !== undefined && filter !== undefined) throw unclearTargets();
    if (given !== undefined) return { codes: [...new Set(given)], next: null };
    if (filter === undefined) throw unclearTargets();
    const list = { filter: toFilter(filter, owner), order };
    const after = cursor === undefined ? undefined : readCursor(cursor, list);
    if (cursor !== undefined && !after) throw otherCursor();
    const found = await finding.list({ ...list, after, limit: maxItems, now: new Date() });
    return {
      codes: found.urls.map(({ shortCode }) => shortCode),
      next: found.next ? writeCursor(found.next, list) : null,
    };
  }

  async function create(item: unknown, apiKey: ApiKey, idempotencyKey: IdempotencyKey | undefined) {
    const body = validate(newUrl, item);
    const now = new Date();
    const input = {
      originalUrl: body.original_url,
      customCode: body.custom_code ?? undefined,
      ...readSettings(body, now.getTime()),
    };
    const options = { idempotencyKey, owner: ownerOf(apiKey), ...readConflictRules(body), now };
    const { url, isNew, isRepeat } = await urls.create(input, apiKey.id, options);
    return {
      isRepeat,
      result: { status: isNew ? (201 as const) : (200 as const), url: presentUrl(url, baseUrl) },
    };
  }

  return {
    createUrls: async ({ body, apiKey, idempotencyKey, ctx }) => {
      const isCostly = body.urls.some((item) => costly.some((name) => has(item, name)));
      const atOnce = isCostly ? costlyAtOnce : createsAtOnce;
      if (idempotencyKey) await urls.requireSameRequest(apiKey.id, idempotencyKey);
      let repeats = 0;
      const results = await settleEach(
        body.urls,
        { atOnce, log, ctx, basePath: basePathOf(baseUrl) },
        async (url, item) => {
          const { result, isRepeat } = await create(
            url,
            apiKey,
            idempotencyKey && { ...idempotencyKey, item },
          );
          if (isRepeat) repeats += 1;
          return result;
        },
      );
      return {
        status: 200,
        ...(repeats > 0 && { headers: { 'Idempotency-Replayed': 'true' } }),
        body: { results },
      };
    },

    changeUrls: async ({ body, owner, ctx }) => {
      const { original_url: originalUrl } = body.changes;
      const patch = {
        ...(originalUrl === undefined ? {} : { originalUrl }),
        ...readSettings(body.changes, Date.now()),
      };
      const { codes, next } = await findTargets(body, owner);
      const apply = await urls.preparePatch(patch);
      const settledOnes = await settleEach(codes, { atOnce: costlyAtOnce, log, ctx }, async (code) => ({
        status: 200 as const,
        url: presentUrl(await apply(code, owner), baseUrl),
      }));
      const results = settledOnes.map((result, i) => Object.assign({ short_code: codes[i]! }, result));
      return { status: 200, body: { results, next_cursor: next } };
    },

    deleteUrls: async ({ body, apiKey, owner, ctx }) => {
      const { codes, next } = await findTargets(body, owner);
      const settledOnes = await settleEach(codes, { atOnce: costlyAtOnce, log, ctx }, async (code) => {
        if (body.purge === true) await urls.purge(code, requesterOf(apiKey));
        else await urls.delete(code, owner);
        return { status: 204 as const };
      });
      const results = settledOnes.map((result, i) => Object.assign({ short_code: codes[i]! }, result));
      return { status: 200, body: { results, next_cursor: next } };
    },
  };
};

/** Whether one of many, which is not validated yet, says something under this name. */
const has = (item: unknown, name: (typeof costly)[number]) =>
  Boolean((item as Record<string, unknown> | null)?.[name]);

const unclearTargets = () =>
  validationFailed([{ field: 'short_codes', detail: 'must be given, or filter, and not both' }]);

const otherCursor = () => validationFailed([{ field: 'cursor', detail: 'must be a cursor of this filter' }]);
