import { z } from 'zod';
import type { Keys } from '../../../keys/keys.ts';
import { foldCode, shortCodePattern } from '../../../keys/short-code.ts';
import { codesPerCheck, codeStates } from '../../../urls/check-code.ts';
import { type CustomCodeRules, normaliseCustomCode } from '../../../urls/input/custom-code.ts';
import type { Urls } from '../../../urls/urls.ts';
import { wholeNumber, wholeNumberText } from '../../../validation/integer.ts';
import { timestamp } from '../../routes/schemas.ts';
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

const codeCheck = z.object({
  code: z.string().describe('The code as it would be stored'),
  state: z
    .enum(codeStates)
    .describe(
      '`free`: a create with it succeeds; `taken`: answers 409 `code-taken`; `deleted`: answers 409 `code-deleted`; `reserved`: the service ' +
        'uses it itself; `invalid`: breaks a rule of custom codes',
    ),
  reason: z.string().nullable().describe('The rule that a reserved or invalid code breaks'),
  deleted_at: timestamp.nullable().describe('With `deleted`: when the short URL was deleted'),
  purged_at: timestamp
    .nullable()
    .describe(
      'With `deleted`: the earliest time at which the code becomes free. Until then the short URL can be restored',
    ),
  suggestions: z.array(z.string()).max(3).describe('Free codes that resemble one that is not free'),
});

/** Checks of custom codes, and the key generation service: reserves codes for another system, which creates short URLs with them later. */
export const codeOperations = {
  checkCode: {
    method: 'get',
    path: '/api/v1/codes/{code}',
    tag,
    summary: 'Check a short code',
    description:
      `Whether a create with this \`custom_code\` would succeed, with three free codes if not. Reserves nothing. Counts as ${codesPerCheck} ` +
      'requests in the rate limit, because it reads whether as many codes are in use.',
    scope: 'urls:write',
    weightOf: () => codesPerCheck,
    params: z.object({
      code: z
        .string()
        .overwrite(normaliseCustomCode)
        .meta({ description: 'A custom code, valid or not', example: 'spring-sale' }),
    }),
    replies: { 200: { description: 'The state of the code.', body: codeCheck } },
    problems: [],
  },
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

export const codeHandlers = ({
  keys,
  urls,
  codeRules,
}: {
  keys: Keys;
  urls: Pick<Urls, 'checkCode'>;
  codeRules: CustomCodeRules;
}): Handlers<typeof codeOperations> => ({
  checkCode: async ({ params: { code }, apiKey, owner }) => {
    const { state, violation, deleted, suggestions } = await urls.checkCode(code, codeRules, {
      apiKeyId: apiKey.id,
      owner,
    });
    return {
      status: 200,
      body: {
        code,
        state,
        reason: violation ?? null,
        deleted_at: deleted?.deletedAt.toISOString() ?? null,
        purged_at: deleted?.purgedAt.toISOString() ?? null,
        suggestions,
      },
    };
  },

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
