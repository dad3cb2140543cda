import { z } from 'zod';
import { foldCode } from '../../../keys/short-code.ts';
import type { UrlLists, UrlOrder } from '../../../urls/search/list.ts';
import type { Owner } from '../../../urls/store/owner.ts';
import { validationFailed } from '../../problems/problem.ts';
import { weigh } from '../operation.ts';
import { cursorField, readCursor, writeCursor } from '../pagination.ts';
import { maxItems } from '../settle-each.ts';
import { toFilter, urlFilterBody } from './filter-query.ts';
import { urlPosition } from './position.ts';

export const maxTargetsBytes = 1024 * 1024;

/** An order that no change affects. */
const order: UrlOrder = { sort: 'created', isDescending: false };

const shortCodes = z
  .array(z.string('must be a string').overwrite(foldCode), 'must be a list of short codes')
  .min(1, 'must contain at least 1 short code')
  .max(maxItems, `must contain at most ${maxItems} short codes`)
  .optional()
  .describe('Short codes, or old codes, of the short URLs');

/** The short URLs to update or delete. */
export const targets = {
  short_codes: shortCodes,
  filter: urlFilterBody
    // An empty list of tags matches every short URL.
    .refine(
      (filter) => Object.values(filter).some((value) => !Array.isArray(value) || value.length > 0),
      'must have at least one condition',
    )
    .describe('The parameters of `GET /api/v1/urls` that filter, without `state`')
    .optional(),
  cursor: cursorField.describe('`next_cursor` of the previous answer to the same filter'),
};

type Targets = z.output<z.ZodObject<typeof targets>>;

export const nextCursor = z
  .string()
  .nullable()
  .describe('With `filter`: cursor of the next short URLs that match it; null at the end');

export const targetsDescription =
  `Selects short URLs by \`short_codes\`, or by \`filter\`: up to ${maxItems} per request. ` +
  'Send `cursor` to continue with the next ones. Each short URL has its own result.';

export const weightOfTargets = ({ body }: { body: { short_codes?: string[] } }) =>
  weigh(body.short_codes?.length ?? maxItems);

/** The distinct short codes of a request, and the cursor of those that follow. */
export async function findTargets(
  urlSearch: Pick<UrlLists, 'list'>,
  { short_codes: given, filter, cursor }: Targets,
  owner: Owner,
): Promise<{ codes: string[]; next: string | null }> {
  if (given !== undefined && filter !== undefined) throw ambiguousTargets();
  if (given !== undefined) return { codes: [...new Set(given)], next: null };
  if (filter === undefined) throw ambiguousTargets();
  const list = { filter: toFilter(filter, owner), order };
  const after = readCursor(cursor, list, urlPosition);
  const found = await urlSearch.list({ ...list, after, limit: maxItems, now: new Date() });
  return {
    codes: found.urls.map(({ shortCode }) => shortCode),
    next: found.next ? writeCursor(found.next, list) : null,
  };
}

const ambiguousTargets = () =>
  validationFailed([{ field: 'short_codes', detail: 'must be given, or filter, and not both' }]);
