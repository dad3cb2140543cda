import { z } from 'zod';
import type { Keys } from '../../keys/keys.ts';
import { foldCode, shortCodePattern } from '../../keys/short-code.ts';
import { wholeNumberText } from '../../validation/integer.ts';
import { type Handlers, type Operations, weigh } from './operation.ts';

const maxCodes = 1_000;

const codes = z
  .array(
    z.string('must be text').overwrite(foldCode).regex(shortCodePattern, 'must be a code'),
    'must be a list of codes',
  )
  .min(1, 'must hold at least one code')
  .max(maxCodes, `must hold at most ${maxCodes} codes`);

/** The key generation service: keys for another system, which creates short URLs with them later. */
export const codeOperations = {
  reserveCodes: {
    method: 'get',
    path: '/api/v1/codes',
    tag: 'Codes',
    summary: 'Reserve codes for another system',
    description: 'Only this API key may create short URLs with them, as `custom_code`.',
    scope: 'keys:reserve',
    // A HEAD would reserve codes which nobody sees.
    isUnsafe: true,
    weightOf: ({ query }: { query: { count: number } }) => weigh(query.count),
    query: z.strictObject({
      count: wholeNumberText(1, maxCodes).default(1),
    }),
    replies: {
      200: { description: 'The codes.', body: z.object({ codes: z.array(z.string()) }) },
    },
    problems: [],
  },
  returnCodes: {
    method: 'post',
    path: '/api/v1/codes/return',
    tag: 'Codes',
    summary: 'Give unused codes back',
    scope: 'keys:reserve',
    body: z.strictObject({ codes }, 'must be a JSON object'),
    replies: {
      200: {
        description: 'What was taken back, and what was not: used, or not reserved by this API key.',
        body: z.object({ returned: z.array(z.string()), refused: z.array(z.string()) }),
      },
    },
    problems: [],
  },
} as const satisfies Operations;

export const codeHandlers = ({ keys }: { keys: Keys }): Handlers<typeof codeOperations> => ({
  reserveCodes: async ({ query, apiKey }) => ({
    status: 200,
    body: { codes: await keys.reserve(query.count, apiKey.id) },
  }),

  returnCodes: async ({ body, apiKey }) => {
    const returned = await keys.release(body.codes, apiKey.id);
    const taken = new Set(returned);
    return { status: 200, body: { returned, refused: body.codes.filter((code) => !taken.has(code)) } };
  },
});
