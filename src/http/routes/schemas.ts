import { z } from 'zod';
import { toShortCode } from '../../keys/short-code.ts';
import { wholeNumberText } from '../../validation/integer.ts';
import { time } from '../../validation/rfc3339.ts';

/** A time in an answer: RFC 3339 in UTC. */
export const timestamp = z.iso.datetime().meta({ example: '2027-01-31T12:00:00.000Z' });

/** A time in a request that must be in the future. */
export const futureTime = time.refine((at) => at.getTime() > Date.now(), 'must be in the future');

/** The path parameter of a short URL. A text that cannot be a short code stays as it is, and is not found. */
export const shortCodeParams = z.object({
  short_code: z
    .string()
    .overwrite((text) => toShortCode(text) ?? text)
    .meta({ description: 'Short code or old code (alias) of the short URL', example: 'aB3xY9z' }),
});

/** The path parameter of a resource with an integer ID. */
export const idParams = z.object({ id: wholeNumberText(1).describe('ID of the resource') });

/** The position in a list of resources by ID. */
export const idPosition = z.int().min(0);

/** A problem (RFC 9457). */
export const problem = z
  .object({
    type: z.string().describe('Address of the problem type in `/docs/problems`'),
    title: z.string().describe('Summary of the problem type'),
    status: z.int().describe('HTTP status code'),
    detail: z.string().describe('Explanation of this occurrence, for people'),
    errors: z
      .array(z.object({ field: z.string(), detail: z.string() }))
      .optional()
      .describe('Each invalid field of the request'),
    deleted_at: timestamp.optional().describe('With `code-deleted`: when the short URL was deleted'),
    purged_at: timestamp
      .optional()
      .describe('With `code-deleted`: the earliest time at which the code becomes free'),
    restore_path: z.string().optional().describe('With `code-deleted`: `POST` to it restores the short URL'),
  })
  .meta({ id: 'Problem' });
