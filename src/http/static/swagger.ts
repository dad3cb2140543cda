import type { Middleware } from 'koa';
import { readPackageFile } from './package-file.ts';
import { answerFile } from './static-file.ts';

const maxAgeSeconds = 24 * 3_600;

/** Serves the files of Swagger UI for the page `/docs`. */
export function serveSwagger(): Middleware {
  const files = new Map(
    ['swagger-ui-bundle.js', 'swagger-ui.css'].map((name) => [
      `/docs/${name}`,
      readPackageFile('swagger-ui-dist', name),
    ]),
  );
  return async (ctx, next) => {
    const read = files.get(ctx.path);
    if (read === undefined) await next();
    else answerFile(ctx, await read(), `public, max-age=${maxAgeSeconds}`);
  };
}
