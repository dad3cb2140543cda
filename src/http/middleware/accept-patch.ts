import type { Middleware } from 'koa';
import { Problem } from '../problems/problem.ts';

/** Media types of a PATCH body; both mean a merge patch (RFC 7396). */
export const patchTypes = ['application/merge-patch+json', 'application/json'] as const;

const acceptPatch = patchTypes.join(', ');

/** Sets `Accept-Patch` (RFC 5789) on answers to PATCH, and to OPTIONS of a resource that supports PATCH. */
export const setAcceptPatch: Middleware = async (ctx, next) => {
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
