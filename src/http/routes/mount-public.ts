import type Router from '@koa/router';
import type { Context } from 'koa';
import { createFormReader } from '../middleware/form.ts';
import { bodyOf, jsonBody, validate } from '../middleware/validation.ts';
import type { PublicBody, PublicHandlers, PublicRoutes } from './public-route.ts';
import { type Answer, sendAnswer } from './reply.ts';

type Handle = (request: { query: unknown; body: unknown; ctx: Context }) => Answer | Promise<Answer>;

/** Adds each public route: validates and handles its requests. */
export function mountPublic<Routes extends PublicRoutes>(
  router: Router,
  routes: Routes,
  handlers: PublicHandlers<Routes>,
): void {
  for (const [name, { method, path, query, body }] of Object.entries(routes)) {
    // The handler's type derives from the same schemas as the validation.
    const handle = handlers[name] as Handle;
    const readBody = body && createBodyReader(body);
    router[method](path, async (ctx) => {
      const answer = await handle({
        query: query && validate(query, { ...ctx.query }),
        body: readBody && (await readBody(ctx)),
        ctx,
      });
      sendAnswer(ctx, answer);
    });
  }
}

/** Reads and validates bodies: JSON where the route accepts it, else a form. */
function createBodyReader({ schema, types, maxBytes }: PublicBody) {
  const readForm = createFormReader(maxBytes);
  const readJson = jsonBody(maxBytes);
  return async (ctx: Context): Promise<unknown> => {
    if (!types.includes('application/json') || !ctx.is('application/json'))
      return validate(schema, withoutBlanks(await readForm(ctx)));
    await readJson(ctx, async () => undefined);
    return validate(schema, bodyOf(ctx));
  };
}

/** Browsers send every field of a form. */
const withoutBlanks = (fields: Record<string, string>) =>
  Object.fromEntries(Object.entries(fields).filter(([, text]) => text.trim() !== ''));
