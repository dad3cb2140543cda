import type { Middleware } from 'koa';
import { Problem } from '../problems/problem.ts';

/** What the body of a PATCH may be: both mean a merge patch (RFC 7396). */
export const patchTypes = ['application/merge-patch+json', 'application/json'] as const;

const acceptPatch = patchTypes.join(', ');

/** Says in `Accept-Patch` (RFC 5789) what a PATCH may be, to OPTIONS of what can be changed and to a PATCH of another type. */
export const namePatchTypes: Middleware = async (ctx, next) => {
  try {
    await next();
  } catch (error) {
    const isOtherType = error instanceof Problem && error.type === 'unsupported-media-type';
    if (ctx.method === 'PATCH' && isOtherType) ctx.set('Accept-Patch', acceptPatch);
    throw error;
  }
  const isOptions = ctx.method === 'OPTIONS' && String(ctx.res.getHeader('allow')).includes('PATCH');
  if (isOptions || ctx.method === 'PATCH') ctx.set('Accept-Patch', acceptPatch);
};
