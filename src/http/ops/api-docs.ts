import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import type { Middleware } from 'koa';
import { createApiDocument } from '../api/document.ts';
import { basePathOf } from '../base-path.ts';
import { answerPage } from '../pages/page.ts';
import { problemTypesPage } from '../pages/problem-types-page.ts';

const dayMs = 24 * 3_600_000;

const page = (basePath: string) => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Linkmill API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="${basePath}/docs/swagger-ui.css">
</head>
<body>
<div id="reference"></div>
<script src="${basePath}/docs/swagger-ui-bundle.js"></script>
<script src="${basePath}/docs/start.js"></script>
</body>
</html>
`;

/** Disables Swagger's online validator: the page loads nothing from other hosts. */
const start = (basePath: string) => `SwaggerUIBundle({
  url: '${basePath}/openapi.json',
  dom_id: '#reference',
  deepLinking: true,
  validatorUrl: null,
  syntaxHighlight: false,
  defaultModelsExpandDepth: 0,
});
`;

/** `GET /openapi.json`, the OpenAPI document, and `GET /docs`, a page to read and try the API, which loads nothing from other
 *  hosts. */
export function createApiDocsHandlers(baseUrl: string) {
  const basePath = basePathOf(baseUrl);
  // Built on the first request, because that slows the start down.
  let document: string | undefined;
  return {
    getApiDocument: (ctx) => {
      document ??= JSON.stringify(createApiDocument(baseUrl));
      ctx.set('Cache-Control', 'no-cache');
      ctx.type = 'application/json';
      ctx.body = document;
    },
    getApiPage: (ctx) => {
      ctx.type = 'html';
      ctx.body = page(basePath);
    },
    getApiPageScript: (ctx) => {
      ctx.type = 'js';
      ctx.body = start(basePath);
    },
    getProblemTypes: (ctx) => answerPage(ctx, 200, problemTypesPage),
    getSwaggerScript: serveSwaggerFile('swagger-ui-bundle.js'),
    getSwaggerStyle: serveSwaggerFile('swagger-ui.css'),
  } satisfies Record<string, Middleware>;
}

/** Serves a file of Swagger UI, which is read once. */
function serveSwaggerFile(name: string): Middleware {
  const folder = path.dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
  let text: Buffer | undefined;
  return async (ctx) => {
    text ??= await readFile(path.join(folder, name));
    ctx.set('Cache-Control', `public, max-age=${dayMs / 1_000}`);
    ctx.type = path.extname(name);
    ctx.body = text;
  };
}
