import { bodyParser } from '@koa/bodyparser';
import type { Context, Middleware } from 'koa';
import { Problem } from '../problems/problem.ts';
import { bodyOf } from './validation.ts';

/** Parses HTML forms of at most `maxBytes`; fields that occur several times are ignored. Throws a 400, 413 or 415. */
export function createFormReader(maxBytes: number) {
  const parse = bodyParser({
    enableTypes: ['form'],
    formLimit: String(maxBytes),
    encoding: 'utf-8',
    onError: (error: Error & { status?: number }) => {
      if (error.status === 413)
        throw new Problem('too-large', `The form must contain at most ${maxBytes} bytes.`);
      throw new Problem('bad-request', 'The form cannot be parsed.');
    },
  }) as Middleware;

  return async (ctx: Context): Promise<Record<string, string>> => {
    // ctx.is returns null without a body, and false for another type or an empty body.
    if (ctx.request.length !== 0 && ctx.is('application/x-www-form-urlencoded') === false) {
      throw new Problem(
        'unsupported-media-type',
        'The body must be a form, with Content-Type application/x-www-form-urlencoded.',
      );
    }
    await parse(ctx, async () => undefined);
    const fields = Object.entries(bodyOf(ctx) ?? {});
    return Object.fromEntries(
      fields.filter((field): field is [string, string] => typeof field[1] === 'string'),
    );
  };
}
