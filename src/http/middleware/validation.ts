import { bodyParser } from '@koa/bodyparser';
import type { Context, Middleware } from 'koa';
import compose from 'koa-compose';
import type { z } from 'zod';
import { Problem, validationFailed } from '../problems/problem.ts';
import { patchTypes } from './accept-patch.ts';

/** What `schema` makes of `value`; throws a 422 that names every field that breaks a rule. */
export function validate<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const errors = parsed.error.issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) => ({
          field: [...issue.path, key].join('.').slice(0, 100),
          detail: 'is not a known field',
        }))
      : [{ field: issue.path.join('.') || 'body', detail: issue.message }],
  );
  throw validationFailed(errors);
}

/** Reads a JSON body: 415 for another type (whose text would be taken for an empty object), 400 for malformed JSON,
 *  413 when it is longer than `maxBytes`. No body at all is an empty object. */
export function jsonBody(maxBytes: number): Middleware {
  const checkType: Middleware = async (ctx, next) => {
    // ctx.is: null without a body, false for another type and for a body of no bytes, which has none.
    const types = ctx.method === 'PATCH' ? patchTypes : (['application/json'] as const);
    if (ctx.request.length !== 0 && ctx.is([...types]) === false) {
      throw new Problem(
        'unsupported-media-type',
        `The body must be JSON, with content-type ${types.join(' or ')}.`,
      );
    }
    await next();
  };
  const parse = bodyParser({
    enableTypes: ['json'],
    extendTypes: { json: [...patchTypes] },
    jsonLimit: String(maxBytes),
    encoding: 'utf-8',
    onError: (error: Error & { status?: number; type?: string }) => {
      if (error.status === 413 || error.type === 'entity.too.large') {
        throw new Problem('too-large', `The body must not be longer than ${maxBytes} bytes.`);
      }
      if (error.status === 415)
        throw new Problem('unsupported-media-type', 'The body has an unknown encoding or charset.');
      throw new Problem('malformed-json', 'The body must be a JSON object.');
    },
  });
  return compose([checkType, parse as Middleware]);
}

/** Lets a body of one of these types through, unread, and answers 415 to others. */
export function uploadBody(types: readonly string[]): Middleware {
  return async (ctx, next) => {
    if (!ctx.is([...types])) {
      throw new Problem('unsupported-media-type', `The body must be one of ${types.join(', ')}.`);
    }
    if ((ctx.get('content-encoding') || 'identity') !== 'identity') {
      throw new Problem('unsupported-media-type', 'The body must not be compressed.');
    }
    await next();
  };
}

/** The parsed JSON body. */
export const bodyOf = (ctx: Context): unknown => (ctx.request as unknown as { body?: unknown }).body ?? {};

/** How long a JSON body was, in characters; 0 without one, and of one that is not read here. */
export const bodyLengthOf = (ctx: Context): number =>
  (ctx.request as unknown as { rawBody?: string }).rawBody?.length ?? 0;
