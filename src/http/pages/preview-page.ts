import { domainToUnicode } from 'node:url';
import { pathOfCode } from '../../urls/short-url.ts';
import { parseUrl } from '../../validation/parse-url.ts';
import { html } from './html.ts';
import { type Page, renderPage } from './page.ts';

/** The details of a short URL that a visitor may see before following it. */
export interface Preview {
  shortCode: string;
  /** Undefined if the short URL requires a password or works once. */
  originalUrl: string | undefined;
  title: string | undefined;
  createdAt: Date;
  expiresAt: Date | null;
  hasPassword: boolean;
  isOneTime: boolean;
}

/** The host of a URL in Unicode and in ASCII (Punycode). */
export function hostOf(originalUrl: string): { unicode: string; ascii: string } {
  const ascii = parseUrl(originalUrl)?.hostname ?? '';
  return { unicode: domainToUnicode(ascii) || ascii, ascii };
}

/** The page that shows the original URL of a short URL. */
export function previewPage(preview: Preview, basePath: string): Page {
  const { shortCode, originalUrl, title, createdAt, expiresAt } = preview;
  return renderPage({
    title: 'Link preview',
    ...(originalUrl !== undefined && { head: openGraph(originalUrl, title) }),
    main: html`<h1>Link preview</h1>
      <dl>
        ${originalUrl === undefined ? hidden(preview) : target(originalUrl)}
        ${title === undefined ? undefined : row('Title', bidiSafe(title))} ${row('Created', time(createdAt))}
        ${expiresAt ? row('Expires', time(expiresAt)) : undefined}
      </dl>
      <p><a class="button" rel="nofollow" href="${basePath}/${pathOfCode(shortCode)}">Open link</a></p>
      <p><a rel="nofollow" href="${basePath}/report?code=${pathOfCode(shortCode)}">Report this link</a></p>`,
  });
}

/** Open Graph tags, which chat programs show as a link preview. */
function openGraph(originalUrl: string, title: string | undefined) {
  const { unicode } = hostOf(originalUrl);
  return html`<meta property="og:title" content="${(title ?? unicode).replace(directionControls, '')}" />
    <meta property="og:description" content="Redirects to ${unicode}" />`;
}

function target(originalUrl: string) {
  const { unicode, ascii } = hostOf(originalUrl);
  const both = html`<bdi>${unicode}</bdi> (<bdi>${ascii}</bdi>)`;
  return html`<dt>URL</dt>
    <dd class="url">${bidiSafe(originalUrl)}</dd>
    ${ascii === '' ? undefined : row('Site', unicode === ascii ? html`<bdi>${ascii}</bdi>` : both)}`;
}

function hidden({ hasPassword }: Preview) {
  const reason = hasPassword ? 'Shown after the password is entered.' : 'Shown when the link is opened.';
  return row('URL', html`${reason}`);
}

const row = (name: string, value: ReturnType<typeof html>) =>
  html`<dt>${name}</dt>
    <dd>${value}</dd>`;

const format = new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeStyle: 'short', timeZone: 'UTC' });

const time = (date: Date) => html`<time datetime="${date.toISOString()}">${format.format(date)} UTC</time>`;

/** Bidirectional control characters, which could reverse the text around them. */
const directionControls = /[\u202A-\u202E\u2066-\u2069]/g;

const bidiSafe = (text: string) => html`<bdi>${text.replace(directionControls, '')}</bdi>`;
