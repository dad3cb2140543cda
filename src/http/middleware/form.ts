import { bodyParser } from '@koa/bodyparser';
import type { Context, Middleware } from 'koa';
import { Problem } from '../problems/problem.ts';
import { bodyOf } from './validation.ts';

/** What reads HTML forms of so many bytes at most, and gives the fields that are there once. Throws a 400, 413 or 415. */
export function createFormReader(maxBytes: number) {
  const parse = bodyParser({
    enableTypes: ['form'],
    formLimit: String(maxBytes),
    encoding: 'utf-8',
    onError: (error: Error & { status?: number }) => {
      if (error.status === 413)
        throw new Problem('too-large', `The form must not be longer than ${maxBytes} bytes.`);
      throw new Problem('bad-request', 'The form cannot be read.');
    },
  }) as Middleware;

  return async (ctx: Context): Promise<Record<string, string>> => {
    // ctx.is: null without a body, false for another type and for a body of no bytes, which has none.
    if (ctx.request.length !== 0 && ctx.is('application/x-www-form-urlencoded') === false) {
      throw new Problem(
        'unsupported-media-type',
        'The body must be a form, with content-type application/x-www-form-urlencoded.',
      );
    }
    await parse(ctx, async () => undefined);
    const fields = Object.entries(bodyOf(ctx) as Record<string, unknown>);
    return Object.fromEntries(
      fields.filter((field): field is [string, string] => typeof field[1] === 'string'),
    );
  };
}
