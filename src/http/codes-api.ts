import type Router from '@koa/router';
import { z } from 'zod';
import type { Keys } from '../keys/keys.ts';
import { shortCodePattern } from '../urls/short-code.ts';
import { type ApiState, apiKeyOf } from './authenticate.ts';
import { methodNotAllowed } from './errors.ts';
import { bodyOf, validate } from './validation.ts';

const maxCodes = 1_000;
const tooMany = `must be at most ${maxCodes}`;

const reservation = z.strictObject({
  count: z.coerce
    .number('must be a number')
    .int('must be a whole number')
    .min(1, 'must be at least 1')
    .max(maxCodes, tooMany)
    .default(1),
});
const giveBack = z.strictObject({
  codes: z
    .array(z.string('must be text').regex(shortCodePattern, 'must be a code'), 'must be a list of codes')
    .min(1, 'must hold at least one code')
    .max(maxCodes, `must hold at most ${maxCodes} codes`),
});

/** The routes of the key generation service: keys for another system, which creates short URLs with them later. */
export function addCodeRoutes(api: Router<ApiState>, { keys }: { keys: Keys }): void {
  api.get('/codes', async (ctx) => {
    // The router takes HEAD for a GET; here that would reserve codes which nobody sees.
    if (ctx.method === 'HEAD') throw methodNotAllowed('GET');
    const { count } = validate(reservation, { ...ctx.query });
    ctx.body = { codes: await keys.reserve(count, apiKeyOf(ctx.state).id) };
  });

  api.post('/codes/return', async (ctx) => {
    const { codes } = validate(giveBack, bodyOf(ctx));
    const returned = await keys.giveBack(codes, apiKeyOf(ctx.state).id);
    const taken = new Set(returned);
    ctx.body = { returned, refused: codes.filter((code) => !taken.has(code)) };
  });
}
