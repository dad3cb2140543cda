import { bodyParser } from '@koa/bodyparser';
import type { Context, Middleware } from 'koa';
import { Problem } from './errors.ts';
import { bodyOf } from './validation.ts';

const maxBytes = 4_096;

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

/** Reads an HTML form of at most 4 KiB and gives one of its fields; empty when there is none. Throws a 400, 413 or 415. */
export async function readField(ctx: Context, field: string): Promise<string> {
  // ctx.is: null without a body, false for another type and for a body of no bytes, which has none.
  if (ctx.request.length !== 0 && ctx.is('application/x-www-form-urlencoded') === false) {
    throw new Problem(
      'unsupported-media-type',
      'The body must be a form, with content-type application/x-www-form-urlencoded.',
    );
  }
  await parse(ctx, async () => undefined);
  const value = (bodyOf(ctx) as Record<string, unknown>)[field];
  return typeof value === 'string' ? value : '';
}
