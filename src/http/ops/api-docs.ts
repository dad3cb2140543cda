import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import type Router from '@koa/router';
import { createApiDocument } from '../api/document.ts';

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

/** Neither the validator of its makers nor anything else from other hosts. */
const start = (basePath: string) => `SwaggerUIBundle({
  url: '${basePath}/openapi.json',
  dom_id: '#reference',
  deepLinking: true,
  validatorUrl: null,
  syntaxHighlight: false,
  defaultModelsExpandDepth: 0,
});
`;

/** `GET /openapi.json`, the API's document, and `GET /docs`, a page to read it on and to try it, which loads nothing from other
 *  hosts. */
export function addApiDocs(router: Router, basePath: string): void {
  // Made when it is first asked for: a process starts without it.
  let document: string | undefined;
  router.get('/openapi.json', (ctx) => {
    document ??= JSON.stringify(createApiDocument(basePath));
    ctx.set('Cache-Control', 'no-cache');
    ctx.type = 'application/json';
    ctx.body = document;
  });

  router.get('/docs', (ctx) => {
    ctx.type = 'html';
    ctx.body = page(basePath);
  });
  router.get('/docs/start.js', (ctx) => {
    ctx.type = 'js';
    ctx.body = start(basePath);
  });

  const folder = path.dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
  for (const file of ['swagger-ui-bundle.js', 'swagger-ui.css']) {
    let text: Buffer | undefined;
    router.get(`/docs/${file}`, async (ctx) => {
      text ??= await readFile(path.join(folder, file));
      ctx.set('Cache-Control', `public, max-age=${dayMs / 1_000}`);
      ctx.type = path.extname(file);
      ctx.body = text;
    });
  }
}
