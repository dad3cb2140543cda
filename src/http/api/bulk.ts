import { z } from 'zod';
import type { Log } from '../../log.ts';
import type { Owner } from '../../urls/owner.ts';
import type { UrlLists, UrlOrder } from '../../urls/url-lists.ts';
import type { Urls } from '../../urls/urls.ts';
import { validationFailed } from '../errors.ts';
import { validate } from '../validation.ts';
import { readCursor, writeCursor } from './list-cursor.ts';
import type { Handlers, Operations } from './operation.ts';
import { maxItems, settled, settleEach } from './settle-each.ts';
import { toFilter, urlFilterQuery } from './url-filter-query.ts';
import { newUrl, presentUrl, readSettings, shownUrl, urlChanges } from './url-schemas.ts';

const tag = 'Many short URLs';
const maxBodyBytes = 1024 * 1024;

/** Creates share statements, so many of them may wait for the same one. */
const createsAtOnce = 500;
/** These take a connection to PostgreSQL each, of which others need some too. */
const statementsAtOnce = 5;

/** In an order that no change has an influence on. */
const order: UrlOrder = { sort: 'created', isDescending: false };

const shortCodes = z
  .array(z.string('must be text'), 'must be a list of short codes')
  .min(1, 'must hold at least one short code')
  .max(maxItems, `must hold at most ${maxItems} short codes`)
  .optional();

const targetQuery = urlFilterQuery.extend({
  cursor: z.string('must be text').max(200, 'must be a cursor of this list').optional(),
});

const one = { short_code: z.string() };
const nextCursor = z
  .string()
  .nullable()
  .describe('By a filter: for those that it means besides these, in the next request');

const whichOnes =
  'Those of `short_codes`, or those that the filters of the query mean, as in listing short URLs: the first ' +
  `${maxItems}, and with \`cursor\` those that follow. Each has an answer of its own.`;

/** Many short URLs in one request. */
export const bulkOperations = {
  createUrls: {
    method: 'post',
    path: '/api/v1/urls/bulk',
    tag,
    summary: 'Create many short URLs',
    description: 'Each has an answer of its own, in the same order. One that is refused harms no other.',
    scope: 'urls:write',
    body: z.strictObject(
      {
        urls: z
          .array(z.unknown().describe('As in creating one'), 'must be a list')
          .min(1, 'must hold at least one short URL')
          .max(maxItems, `must hold at most ${maxItems} short URLs`),
      },
      'must be a JSON object',
    ),
    maxBodyBytes,
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
    query: targetQuery,
    body: z.strictObject({ short_codes: shortCodes, changes: urlChanges }, 'must be a JSON object'),
    maxBodyBytes,
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
    query: targetQuery,
    body: z.strictObject({ short_codes: shortCodes }, 'must be a JSON object'),
    maxBodyBytes,
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
  log: Log;
}

export const bulkHandlers = ({ urls, finding, baseUrl, log }: Deps): Handlers<typeof bulkOperations> => {
  /** The short codes that a request is about, each once, and the cursor for those that follow. */
  async function findTargets(
    given: string[] | undefined,
    { cursor, ...query }: z.output<typeof targetQuery>,
    owner: Owner,
  ): Promise<{ codes: string[]; next: string | null }> {
    const isFiltered = Object.values(query).some((value) => value !== undefined);
    if (isFiltered === (given !== undefined)) throw unclearTargets();
    if (given) return { codes: [...new Set(given)], next: null };
    const list = { filter: toFilter(query, owner), order };
    const after = cursor === undefined ? undefined : readCursor(cursor, list);
    if (cursor !== undefined && !after) throw foreignCursor();
    const found = await finding.list({ ...list, after, limit: maxItems, now: new Date() });
    return {
      codes: found.urls.map(({ shortCode }) => shortCode),
      next: found.next ? writeCursor(found.next, list) : null,
    };
  }

  async function create(item: unknown, apiKeyId: number) {
    const body = validate(newUrl, item);
    const wish = {
      originalUrl: body.original_url,
      customCode: body.custom_code ?? undefined,
      ...readSettings(body, Date.now()),
    };
    if (!body.find_if_exists) {
      return { status: 201 as const, url: presentUrl(await urls.create(wish, apiKeyId), baseUrl) };
    }
    const { url, isNew } = await urls.findOrCreate(wish, apiKeyId);
    return { status: isNew ? (201 as const) : (200 as const), url: presentUrl(url, baseUrl) };
  }

  return {
    createUrls: async ({ body, apiKey, ctx }) => {
      const looksFirst = body.urls.some(
        (item) => (item as { find_if_exists?: unknown } | null)?.find_if_exists,
      );
      const atOnce = looksFirst ? statementsAtOnce : createsAtOnce;
      const results = await settleEach(body.urls, { atOnce, log, path: ctx.path }, (item) =>
        create(item, apiKey.id),
      );
      return { status: 200, body: { results } };
    },

    changeUrls: async ({ body, query, owner, ctx }) => {
      const { original_url: originalUrl } = body.changes;
      const wish = {
        ...(originalUrl === undefined ? {} : { originalUrl }),
        ...readSettings(body.changes, Date.now()),
      };
      const { codes, next } = await findTargets(body.short_codes, query, owner);
      const settledOnes = await settleEach(
        codes,
        { atOnce: statementsAtOnce, log, path: ctx.path },
        async (code) => ({
          status: 200 as const,
          url: presentUrl(await urls.change(code, wish, owner), baseUrl),
        }),
      );
      const results = settledOnes.map((result, i) => Object.assign({ short_code: codes[i]! }, result));
      return { status: 200, body: { results, next_cursor: next } };
    },

    deleteUrls: async ({ body, query, owner, ctx }) => {
      const { codes, next } = await findTargets(body.short_codes, query, owner);
      const settledOnes = await settleEach(
        codes,
        { atOnce: statementsAtOnce, log, path: ctx.path },
        async (code) => {
          await urls.delete(code, owner);
          return { status: 204 as const };
        },
      );
      const results = settledOnes.map((result, i) => Object.assign({ short_code: codes[i]! }, result));
      return { status: 200, body: { results, next_cursor: next } };
    },
  };
};

const unclearTargets = () =>
  validationFailed([
    { field: 'short_codes', detail: 'must be given, or a filter in the query, and not both' },
  ]);

const foreignCursor = () => validationFailed([{ field: 'cursor', detail: 'must be a cursor of this list' }]);
