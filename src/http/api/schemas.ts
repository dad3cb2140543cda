import { z } from 'zod';
import { toShortCode } from '../../keys/short-code.ts';
import { wholeNumberText } from '../../validation/integer.ts';
import { time } from '../../validation/rfc3339.ts';

/** A time as the API shows it: RFC 3339 in UTC. */
export const timestamp = z.iso.datetime().meta({ example: '2027-01-31T12:00:00.000Z' });

/** A time that is yet to come, in any offset. */
export const futureTime = time.refine((at) => at.getTime() > Date.now(), 'must be in the future');

/** The path parameter of one short URL. What can be no short code leads nowhere, like one that nobody has. */
export const shortCodeParams = z.object({
  short_code: z
    .string()
    .overwrite((text) => toShortCode(text) ?? text)
    .meta({ description: 'The path part of the short URL', example: 'aB3xY9z' }),
});

/** The path parameter of an import or an export. */
export const transferParams = z.object({
  id: wholeNumberText(1),
});

/** Which part of a list is wanted, the latest first: of those with a lower id than `before`. */
export const pageOf = (usual: number) =>
  z.strictObject({
    before: wholeNumberText(1)
      .default(Number.MAX_SAFE_INTEGER)
      .describe('Only those with a lower id than this one'),
    limit: wholeNumberText(1, 1_000).default(usual),
  });

/** An error as the API shows it. */
export const problem = z
  .object({
    type: z.string().describe('What to branch on'),
    title: z.string(),
    status: z.int(),
    detail: z.string().describe('For people'),
    errors: z
      .array(z.object({ field: z.string(), detail: z.string() }))
      .optional()
      .describe('Each field that breaks a rule'),
    deleted_at: timestamp.optional().describe('With `code-deleted`: when the short URL was deleted'),
    purged_at: timestamp
      .optional()
      .describe('With `code-deleted`: when the code becomes free, at the earliest'),
    restore_path: z.string().optional().describe('With `code-deleted`: `POST` to it restores the short URL'),
  })
  .meta({ id: 'Problem' });
