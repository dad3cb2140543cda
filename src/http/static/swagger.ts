import { createRequire } from 'node:module';
import type { Middleware } from 'koa';
import { readPackageFile } from './package-file.ts';
import { answerFile, createStaticFile, immutable, revalidated, type StaticFile } from './static-file.ts';

const packageName = 'swagger-ui-dist';
const { version } = createRequire(import.meta.url)(`${packageName}/package.json`) as { version: string };

/** Starts Swagger UI, in the colours that the browser prefers. Its online validator is off: the page loads nothing from other hosts. */
const start = (basePath: string) => `const dark = matchMedia('(prefers-color-scheme: dark)');
const setColors = () => document.documentElement.classList.toggle('dark-mode', dark.matches);
setColors();
dark.addEventListener('change', setColors);
addEventListener('DOMContentLoaded', () => SwaggerUIBundle({
  url: '${basePath}/openapi.json',
  dom_id: '#reference',
  deepLinking: true,
  validatorUrl: null,
  syntaxHighlight: false,
  defaultModelsExpandDepth: 0,
}));
`;

export type SwaggerFiles = ReturnType<typeof createSwaggerFiles>;

/** The files that the page `/docs` loads. Each has an address of its own for each version, so browsers keep it. */
export function createSwaggerFiles(basePath: string) {
  const script = createStaticFile('start.js', Buffer.from(start(basePath)));
  const files = new Map<string, { version: string; read: () => Promise<StaticFile> }>([
    ['start.js', { version: script.hash, read: async () => script }],
    ...['swagger-ui-bundle.js', 'swagger-ui.css'].map(
      (name) => [name, { version, read: readPackageFile(packageName, name) }] as const,
    ),
  ]);
  return {
    /** The address of a file for the page. */
    addressOf: (name: string): string => `${basePath}/docs/${name}?v=${files.get(name)!.version}`,

    /** Serves the files. */
    middleware: (async (ctx, next) => {
      const file = ctx.path.startsWith('/docs/') ? files.get(ctx.path.slice('/docs/'.length)) : undefined;
      if (file === undefined) await next();
      else answerFile(ctx, await file.read(), ctx.query['v'] === file.version ? immutable : revalidated);
    }) satisfies Middleware as Middleware,
  };
}
