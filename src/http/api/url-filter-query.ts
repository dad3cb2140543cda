import { z } from 'zod';
import { parseHostName } from '../../urls/input/host-name.ts';
import type { UrlFilter } from '../../urls/search/filter.ts';
import type { Owner } from '../../urls/store/owner.ts';
import { wholeNumberText } from '../../validation/integer.ts';
import { time } from '../../validation/rfc3339.ts';

const maxText = 200;
const maxTags = 20;

/** Text that PostgreSQL can be asked for: no half of a character, and nothing that no field holds. */
export const plainText = z
  .string('must be text')
  .max(maxText, `must have at most ${maxText} characters`)
  .refine((text) => !/[\p{Cc}\p{Cs}]/u.test(text), 'must not contain control characters');

const isTrue = z
  .enum(['true', 'false'], 'must be true or false')
  .transform((text) => text === 'true')
  .optional();

/** A host name as the URL parser spells it, to which `UPPER.example` and `bücher.example` are other spellings. */
const host = plainText
  .transform(parseHostName)
  .refine((name) => name !== undefined, 'must be a host name without a port, such as example.com')
  .optional();

const meaningOf = {
  expired: 'Whether its time is over',
  created_by: 'The id of the API key that it was created with',
};

/** Which short URLs are meant, in a query. */
export const urlFilterQuery = z.strictObject({
  q: plainText
    .min(3, 'must have at least 3 characters')
    .optional()
    .describe(
      'Text in the short code, the title, a tag or the original URL, as people spell it (`bücher`, `straße`) or as it is stored; upper and lower case are the same',
    ),
  tag: z
    .preprocess(
      (given) => (typeof given === 'string' ? [given] : given),
      z.array(plainText.min(1, 'must not be empty')).max(maxTags, `must be given at most ${maxTags} times`),
    )
    .optional()
    .describe('One that it has; repeated: it has all of them'),
  is_active: isTrue,
  expired: isTrue.describe(meaningOf.expired),
  created_by: wholeNumberText(1).optional().describe(meaningOf.created_by),
  created_from: time.optional(),
  created_before: time.optional().describe('This moment not included'),
  host: host.describe('Host of the original URL, without a port'),
});

const truth = z.boolean('must be true or false').optional();

/** The same in JSON, which has truths and numbers of its own. */
export const urlFilterBody = z.strictObject(
  {
    ...urlFilterQuery.shape,
    is_active: truth,
    expired: truth.describe(meaningOf.expired),
    created_by: z
      .int('must be a whole number')
      .min(1, 'must be at least 1')
      .optional()
      .describe(meaningOf.created_by),
  },
  'must be an object',
);

/** The filter that is asked for so, on behalf of an owner. */
export const toFilter = (query: z.output<typeof urlFilterQuery>, owner: Owner): UrlFilter => ({
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
