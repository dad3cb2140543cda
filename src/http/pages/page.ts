import { createHash } from 'node:crypto';
import type { Context } from 'koa';
import { html, type Html, renderHtml, trustedHtml } from './html.ts';
import { style } from './style.ts';

const styleElement = trustedHtml(`<style>${style}</style>`);
const styleHash = createHash('sha256').update(style).digest('base64');

/** A page that is ready to be sent. */
export interface Page {
  text: string;
  /** Whether it has a form. */
  hasForm: boolean;
}

/** A whole page of what its `main` element holds. */
export function renderPage(page: { title: string; main: Html; hasForm?: boolean }): Page {
  const { title, main, hasForm = false } = page;
  const text = renderHtml(
    html`<!doctype html>
      <html lang="en">
        <head>
          <meta charset="utf-8" />
          <meta name="viewport" content="width=device-width, initial-scale=1" />
          <title>${title}</title>
          ${styleElement}
        </head>
        <body>
          <main>${main}</main>
        </body>
      </html> `,
  );
  return { text, hasForm };
}

function headersOf({ hasForm }: Page): Record<string, string> {
  return {
    'Content-Security-Policy': [
      "default-src 'none'",
      `style-src 'sha256-${styleHash}'`,
      // Browsers want the rule to allow where the answer to a form leads too: to an original URL, which may be anywhere.
      `form-action ${hasForm ? 'http: https:' : "'none'"}`,
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

/** Answers with a page, which nobody keeps, frames or indexes, and which runs nothing. */
export function answerPage(ctx: Context, status: number, page: Page): void {
  ctx.status = status;
  ctx.set(headersOf(page));
  ctx.type = 'text/html; charset=utf-8';
  ctx.body = page.text;
}
