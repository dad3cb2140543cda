import { createHash } from 'node:crypto';
import type { Context } from 'koa';
import { html, type Html, renderHtml, trustedHtml } from './html.ts';
import { style } from './style.ts';

const styleElement = trustedHtml(`<style>${style}</style>`);
const styleHash = createHash('sha256').update(style).digest('base64');

/** A page that is ready to be sent. */
export interface Page {
  body: string;
  headers: Readonly<Record<string, string>>;
}

/** Schemes to which every short URL may redirect. */
const usualSchemes = ['http', 'https'];

/** A whole page of what its `main` element holds; nobody keeps, frames or indexes it, and it runs nothing. The answer to its form may
 *  redirect to http, https and `formSchemes`. */
export function renderPage(page: {
  title: string;
  main: Html;
  head?: Html;
  hasForm?: boolean;
  formSchemes?: readonly string[];
}): Page {
  const { title, main, head, hasForm = false, formSchemes = [] } = page;
  const body = renderHtml(
    html`<!doctype html>
      <html lang="en">
        <head>
          <meta charset="utf-8" />
          <meta name="viewport" content="width=device-width, initial-scale=1" />
          <title>${title}</title>
          ${head} ${styleElement}
        </head>
        <body>
          <main>${main}</main>
        </body>
      </html> `,
  );
  return { body, headers: headersOf(hasForm ? [...usualSchemes, ...formSchemes] : []) };
}

function headersOf(formSchemes: string[]): Record<string, string> {
  return {
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Security-Policy': [
      "default-src 'none'",
      `style-src 'sha256-${styleHash}'`,
      // Browsers hold it against where the answer to a form leads too: to an original URL, which may be anywhere.
      `form-action ${formSchemes.map((scheme) => `${scheme}:`).join(' ') || "'none'"}`,
      "base-uri 'none'",
      "frame-ancestors 'none'",
    ].join('; '),
    // The site that a short URL leads to does not hear of its code. Without any referrer a form's origin would be hidden from us.
    'Referrer-Policy': 'same-origin',
    'X-Content-Type-Options': 'nosniff',
    'X-Robots-Tag': 'noindex',
    'Cache-Control': 'no-store',
  };
}

/** Answers with a page. */
export function answerPage(ctx: Context, status: number, { headers, body }: Page): void {
  ctx.status = status;
  ctx.set(headers);
  ctx.body = body;
}

/** Whether JSON is to be answered instead of a page that is there for people; who does not say gets the page. */
export const wantsJson = (ctx: Context) => ctx.accepts('html', 'json') === 'json';
