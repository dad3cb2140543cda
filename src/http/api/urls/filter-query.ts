import { z } from 'zod';
import { parseHostName } from '../../../urls/input/host-name.ts';
import type { UrlFilter } from '../../../urls/search/filter.ts';
import type { Owner } from '../../../urls/store/owner.ts';
import { boolean, booleanText } from '../../../validation/boolean.ts';
import { wholeNumber, wholeNumberText } from '../../../validation/integer.ts';
import { time } from '../../../validation/rfc3339.ts';
import { plainText } from '../../../validation/text.ts';

const maxTags = 20;

/** Text to filter by. */
export const filterText = plainText(200);

/** A host name as the URL parser normalises it: `UPPER.example` and `bücher.example` have other spellings. */
const host = filterText
  .transform(parseHostName)
  .refine((name) => name !== undefined, 'must be a host name without a port, such as example.com')
  .optional();

const descriptions = {
  isActive: 'Whether the short URL is enabled',
  expired: 'Whether the short URL has expired',
  createdBy: 'ID of the API key that created the short URL',
};

/** A filter of short URLs, in a query. */
export const urlFilterQuery = z.strictObject({
  state: z
    .literal('deleted', 'must be deleted')
    .optional()
    .describe('`deleted` selects deleted short URLs that are not purged yet; without it, all others'),
  q: filterText
    .min(3, 'must have at least 3 characters')
    .optional()
    .describe(
      'Text in the short code, title, tags or original URL. Case-insensitive; matches `bücher` in its encoded forms too',
    ),
  tag: z
    .preprocess(
      (given) => (typeof given === 'string' ? [given] : given),
      z.array(filterText.min(1, 'must not be empty')).max(maxTags, `must be given at most ${maxTags} times`),
    )
    .optional()
    .describe('Tag of the short URL. Repeat the parameter to require several tags'),
  is_active: booleanText.optional().describe(descriptions.isActive),
  expired: booleanText.optional().describe(descriptions.expired),
  created_by: wholeNumberText(1).optional().describe(descriptions.createdBy),
  created_from: time.optional().describe('Created at or after this time'),
  created_before: time.optional().describe('Created before this time'),
  host: host.describe('Host of the original URL, without a port'),
});

/** The same filter in JSON, for operations on short URLs that are not deleted. */
export const urlFilterBody = z.strictObject(
  {
    ...urlFilterQuery.omit({ state: true }).shape,
    is_active: boolean.optional().describe(descriptions.isActive),
    expired: boolean.optional().describe(descriptions.expired),
    created_by: wholeNumber(1).optional().describe(descriptions.createdBy),
  },
  'must be an object',
);

/** The domain's filter, restricted to the short URLs of an owner. */
export const toFilter = (query: z.output<typeof urlFilterQuery>, owner: Owner): UrlFilter => ({
  isDeleted: query.state === 'deleted',
  owner,
  search: query.q,
  tags: query.tag,
  isActive: query.is_active,
  isExpired: query.expired,
  createdBy: query.created_by,
  createdFrom: query.created_from,
  createdBefore: query.created_before,
  host: query.host,
});
