import { z } from 'zod';
import { basePathOf } from '../base-path.ts';
import { pageAnswer } from '../pages/page.ts';
import { problemTypesPage } from '../pages/problem-types-page.ts';
import { runbookPage, runbookPath } from '../pages/runbook-page.ts';
import { problemTypesPath } from '../problems/problem-types.ts';
import type { PublicHandlers, PublicRoutes } from '../routes/public-route.ts';
import { compress } from '../static/compress.ts';
import { once } from '../static/package-file.ts';
import { createStaticFile, fileAnswer, revalidated } from '../static/static-file.ts';
import type { SwaggerFiles } from '../static/swagger.ts';

const page = (basePath: string, { addressOf }: SwaggerFiles) => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Linkmill API</title>
<link rel="icon" href="${basePath}/favicon.svg">
<link rel="stylesheet" href="${addressOf('swagger-ui.css')}">
<script src="${addressOf('start.js')}"></script>
<script src="${addressOf('swagger-ui-bundle.js')}" defer></script>
</head>
<body>
<div id="reference"></div>
</body>
</html>
`;

/** The API document, and the pages that explain the API. */
export const apiDocsRoutes = {
  getApiDocument: {
    method: 'get',
    path: '/openapi.json',
    summary: 'Get this document',
    description: 'Generated from the declarations that validate requests.',
    replies: {
      200: {
        description: 'OpenAPI 3.1.',
        body: z.looseObject({
          openapi: z.string(),
          info: z.looseObject({}),
          paths: z.looseObject({}),
        }),
        content: ['application/json'],
      },
      304: { description: 'The client has this version: `If-None-Match` contains its `ETag`.' },
    },
    problems: [],
  },
  getApiPage: {
    method: 'get',
    path: '/docs',
    summary: 'Get this document as a page',
    description: 'Swagger UI, which also sends requests.',
    replies: {
      200: {
        description: 'A page to read and try the API; it loads nothing from other hosts.',
        content: ['text/html'],
      },
    },
    problems: [],
  },
  getProblemTypes: {
    method: 'get',
    path: problemTypesPath,
    summary: 'Get the page of problem types',
    description: 'The `type` of each problem is a link to a section of this page.',
    replies: {
      200: { description: 'A page with a section for each problem type.', content: ['text/html'] },
    },
    problems: [],
  },
  getRunbook: {
    method: 'get',
    path: runbookPath,
    summary: 'Get the runbook',
    description: '`runbook_url` of each trouble of the service is a link to a section of this page.',
    replies: {
      200: {
        description: 'A page with a section for each condition: its effect, and what to do.',
        content: ['text/html'],
      },
    },
    problems: [],
  },
} as const satisfies PublicRoutes;

/** `createDocument` returns the OpenAPI document. */
export function apiDocsHandlers({
  baseUrl,
  swaggerFiles,
  createDocument,
}: {
  baseUrl: string;
  swaggerFiles: SwaggerFiles;
  createDocument: () => object;
}): PublicHandlers<typeof apiDocsRoutes> {
  const basePath = basePathOf(baseUrl);
  // Built on the first request, because that slows the start down.
  const readDocument = once(async () => {
    const content = Buffer.from(JSON.stringify(createDocument()));
    return createStaticFile('openapi.json', content, await compress(content));
  });
  return {
    getApiDocument: async ({ ctx }) => {
      const answer = fileAnswer(ctx, await readDocument(), revalidated);
      return answer.status === 304 ? answer : { ...answer, type: 'application/json' };
    },
    getApiPage: () => ({ status: 200, type: 'text/html', body: page(basePath, swaggerFiles) }),
    getProblemTypes: () => pageAnswer(200, problemTypesPage),
    getRunbook: () => pageAnswer(200, runbookPage),
  };
}
