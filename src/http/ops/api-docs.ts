import { z } from 'zod';
import { basePathOf } from '../base-path.ts';
import { pageAnswer } from '../pages/page.ts';
import { problemTypesPage } from '../pages/problem-types-page.ts';
import { runbookPage, runbookPath } from '../pages/runbook-page.ts';
import { problemTypesPath } from '../problems/problem-types.ts';
import type { PublicHandlers, PublicRoutes } from '../routes/public-route.ts';

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

/** The files of its own that the page `/docs` loads. The API document does not describe them. */
export const apiPageFiles = {
  getApiPageScript: {
    method: 'get',
    path: '/docs/start.js',
    summary: 'Get /docs/start.js',
    description: 'A file of the page `/docs`.',
    replies: { 200: { description: 'The file.', content: ['text/javascript'] } },
    problems: [],
  },
} as const satisfies PublicRoutes;

/** `createDocument` returns the OpenAPI document. */
export function apiDocsHandlers({
  baseUrl,
  createDocument,
}: {
  baseUrl: string;
  createDocument: () => object;
}): PublicHandlers<typeof apiDocsRoutes & typeof apiPageFiles> {
  const basePath = basePathOf(baseUrl);
  // Built on the first request, because that slows the start down.
  let document: string | undefined;
  return {
    getApiDocument: () => {
      document ??= JSON.stringify(createDocument());
      const headers = { 'Cache-Control': 'no-cache' };
      return { status: 200, headers, type: 'application/json', body: document };
    },
    getApiPage: () => ({ status: 200, type: 'text/html', body: page(basePath) }),
    getProblemTypes: () => pageAnswer(200, problemTypesPage),
    getRunbook: () => pageAnswer(200, runbookPage),
    getApiPageScript: () => ({ status: 200, type: 'text/javascript', body: start(basePath) }),
  };
}
