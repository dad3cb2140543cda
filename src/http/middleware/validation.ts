import { bodyParser } from '@koa/bodyparser';
import type { Context, Middleware } from 'koa';
import compose from 'koa-compose';
import type { z } from 'zod';
import { Problem, validationFailed } from '../problems/problem.ts';
import { patchTypes } from './accept-patch.ts';

/** Parses a value; throws a 422 that lists every invalid field. */
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

/** Parses a JSON body; no body is an empty object. Throws a 415 for another media type, which the parser would ignore, a 400 for malformed
 *  JSON, and a 413 for more than `maxBytes`. */
export function jsonBody(maxBytes: number): Middleware {
  const checkType: Middleware = async (ctx, next) => {
    // ctx.is returns null without a body, and false for another type or an empty body.
    const types = ctx.method === 'PATCH' ? patchTypes : (['application/json'] as const);
    if (ctx.request.length !== 0 && ctx.is([...types]) === false) {
      throw new Problem(
        'unsupported-media-type',
        `The body must be JSON, with Content-Type ${types.join(' or ')}.`,
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
        throw new Problem('too-large', `The body must contain at most ${maxBytes} bytes.`);
      }
      if (error.status === 415)
        throw new Problem(
          'unsupported-media-type',
          'The Content-Encoding or charset of the body is not supported.',
        );
      throw new Problem('malformed-json', 'The body must be a JSON object.');
    },
  });
  return compose([checkType, parse as Middleware]);
}

/** Requires a body of one of these media types, without parsing it; otherwise answers 415. */
export function uploadBody(types: readonly string[]): Middleware {
  return async (ctx, next) => {
    if (!ctx.is([...types])) {
      throw new Problem('unsupported-media-type', `The Content-Type must be one of ${types.join(', ')}.`);
    }
    if ((ctx.get('content-encoding') || 'identity') !== 'identity') {
      throw new Problem('unsupported-media-type', 'The body must not be compressed.');
    }
    await next();
  };
}

/** The parsed JSON body. */
export const bodyOf = ({ request }: Context): unknown => request.body ?? {};

/** The length of a parsed JSON body in characters; 0 without one, and for an upload. */
export const bodyLengthOf = ({ request }: Context): number => request.rawBody?.length ?? 0;
