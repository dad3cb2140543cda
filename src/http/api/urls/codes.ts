import { z } from 'zod';
import type { Keys } from '../../../keys/keys.ts';
import { foldCode, shortCodePattern } from '../../../keys/short-code.ts';
import { wholeNumber, wholeNumberText } from '../../../validation/integer.ts';
import { type Handlers, type Operations, weigh } from '../operation.ts';

const tag = 'Short codes';
const maxCodes = 1_000;

const codes = z
  .array(
    z.string('must be a string').overwrite(foldCode).regex(shortCodePattern, 'must be a short code'),
    'must be a list of short codes',
  )
  .min(1, 'must contain at least 1 short code')
  .max(maxCodes, `must contain at most ${maxCodes} short codes`)
  .describe('Reserved codes that are not in use');

const description = 'Only this API key can create short URLs with the reserved codes, as `custom_code`.';
const reserved = z.object({ codes: z.array(z.string()).describe('The reserved codes') });

/** The key generation service: reserves codes for another system, which creates short URLs with them later. */
export const codeOperations = {
  createCodeReservation: {
    method: 'post',
    path: '/api/v1/codes/reservations',
    tag,
    summary: 'Reserve short codes',
    description,
    scope: 'keys:reserve',
    weightOf: ({ body }: { body: { count: number } }) => weigh(body.count),
    body: z.strictObject(
      { count: wholeNumber(1, maxCodes).default(1).describe('Number of codes') },
      'must be a JSON object',
    ),
    replies: { 201: { description: 'The reserved codes.', body: reserved } },
    problems: [],
  },
  reserveCodes: {
    method: 'get',
    path: '/api/v1/codes',
    tag,
    summary: 'Reserve short codes with GET',
    description: `For clients of the key generation service. Prefer \`POST /api/v1/codes/reservations\`. ${description}`,
    scope: 'keys:reserve',
    // A HEAD would reserve codes without returning them.
    isUnsafe: true,
    weightOf: ({ query }: { query: { count: number } }) => weigh(query.count),
    query: z.strictObject({ count: wholeNumberText(1, maxCodes).default(1).describe('Number of codes') }),
    replies: { 200: { description: 'The reserved codes.', body: reserved } },
    problems: [],
  },
  releaseCodes: {
    method: 'post',
    path: '/api/v1/codes/return',
    tag,
    summary: 'Release reserved short codes',
    scope: 'keys:reserve',
    body: z.strictObject({ codes }, 'must be a JSON object'),
    replies: {
      200: {
        description: 'Which codes were released.',
        body: z.object({
          returned: z.array(z.string()).describe('Released codes'),
          refused: z.array(z.string()).describe('Codes in use, or not reserved by this API key'),
        }),
      },
    },
    problems: [],
  },
} as const satisfies Operations;

export const codeHandlers = ({ keys }: { keys: Keys }): Handlers<typeof codeOperations> => ({
  createCodeReservation: async ({ body, apiKey }) => ({
    status: 201,
    body: { codes: await keys.reserve(body.count, apiKey.id) },
  }),

  reserveCodes: async ({ query, apiKey }) => ({
    status: 200,
    body: { codes: await keys.reserve(query.count, apiKey.id) },
  }),

  releaseCodes: async ({ body, apiKey }) => {
    const returned = await keys.release(body.codes, apiKey.id);
    const released = new Set(returned);
    return { status: 200, body: { returned, refused: body.codes.filter((code) => !released.has(code)) } };
  },
});
