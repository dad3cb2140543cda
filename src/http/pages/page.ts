import { createHash } from 'node:crypto';
import type { Context } from 'koa';
import { html, type Html, renderHtml, trustedHtml } from './html.ts';
import { style } from './style.ts';

const styleElement = trustedHtml(`<style>${style}</style>`);
const styleHash = createHash('sha256').update(style).digest('base64');

/** A complete page with its headers. */
export interface Page {
  body: string;
  headers: Readonly<Record<string, string>>;
}

/** Schemes that every original URL may have. */
const defaultSchemes = ['http', 'https'];

/** Renders a page around its `main` element, in English unless it has another `language`. The page runs no scripts and must not be framed or
 *  indexed, nor cached without `maxAgeSeconds`. The response to its form may redirect to http, https and `formSchemes`. */
export function renderPage(page: {
  title: string;
  main: Html;
  language?: string;
  head?: Html | undefined;
  header?: Html | undefined;
  footer?: Html | undefined;
  hasForm?: boolean;
  formSchemes?: readonly string[];
  maxAgeSeconds?: number;
}): Page {
  const { title, main, language = 'en', head, header, footer } = page;
  const { hasForm = false, formSchemes = [], maxAgeSeconds } = page;
  const body = renderHtml(
    html`<!doctype html>
      <html lang="${language}">
        <head>
          <meta charset="utf-8" />
          <meta name="viewport" content="width=device-width, initial-scale=1" />
          <title>${title}</title>
          ${head} ${styleElement}
        </head>
        <body>
          ${header}
          <main>${main}</main>
          ${footer}
        </body>
      </html> `,
  );
  const cacheControl = maxAgeSeconds === undefined ? 'no-store' : `public, max-age=${maxAgeSeconds}`;
  return {
    body,
    headers: {
      ...headersOf(hasForm ? [...defaultSchemes, ...formSchemes] : []),
      'Content-Language': language,
      'Cache-Control': cacheControl,
    },
  };
}

function headersOf(formSchemes: string[]): Record<string, string> {
  return {
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Security-Policy': [
      "default-src 'none'",
      `style-src 'sha256-${styleHash}'`,
      // The icon.
      "img-src 'self'",
      // Browsers also apply form-action to the redirect after a form, which goes to any original URL.
      `form-action ${formSchemes.map((scheme) => `${scheme}:`).join(' ') || "'none'"}`,
      "base-uri 'none'",
      "frame-ancestors 'none'",
    ].join('; '),
    // Hides the short code from the destination. `no-referrer` would also remove the `Origin` of forms.
    'Referrer-Policy': 'same-origin',
    'X-Content-Type-Options': 'nosniff',
    'X-Robots-Tag': 'noindex',
  };
}

/** Answers with a page. */
export function answerPage(ctx: Context, status: number, { headers, body }: Page): void {
  ctx.status = status;
  ctx.set(headers);
  ctx.body = body;
}

/** The answer of a route with a page. */
export const pageAnswer = <Status extends number>(status: Status, { headers, body }: Page) => ({
  status,
  headers,
  type: 'text/html' as const,
  body,
});

/** Whether the client prefers JSON to a page; the default is the page. */
export const wantsJson = (ctx: Context) => ctx.accepts('html', 'json') === 'json';
