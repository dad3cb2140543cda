import { domainToUnicode } from 'node:url';
import { pathOfCode } from '../../urls/short-url.ts';
import { parseUrl } from '../../validation/parse-url.ts';
import { basePathOf } from '../base-path.ts';
import { html } from './html.ts';
import type { Page } from './page.ts';
import { addressOf, type PageContext, renderVisitorPage } from './visitor-page.ts';

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

/** The page that shows the original URL of a short URL, its host first. */
export function previewPage(context: PageContext, preview: Preview): Page {
  const { shortCode, originalUrl, title, createdAt, expiresAt } = preview;
  const { site, texts } = context;
  const { preview: words, locale } = texts;
  const basePath = basePathOf(site.baseUrl);
  const row = (name: string, value: ReturnType<typeof html>) =>
    html`<dt>${name}</dt>
      <dd>${value}</dd>`;
  return renderVisitorPage(context, {
    title: words.title,
    ...(originalUrl !== undefined && { head: openGraph(context, originalUrl, title) }),
    main: html`${originalUrl === undefined ? hidden(context, preview) : target(context, { shortCode, originalUrl })}
      <dl>
        ${title === undefined ? undefined : row(words.name, bidiSafe(title))}
        ${row(words.created, time(createdAt, locale))}
        ${expiresAt ? row(words.expires, time(expiresAt, locale)) : undefined}
      </dl>
      <p><a class="button" rel="nofollow" href="${basePath}/${pathOfCode(shortCode)}">${words.open}</a></p>
      <p><a rel="nofollow" href="${basePath}/report?code=${pathOfCode(shortCode)}">${words.report}</a></p>`,
  });
}

/** Open Graph tags, which chat programs show as a link preview. */
function openGraph({ site, texts }: PageContext, originalUrl: string, title: string | undefined) {
  const { unicode } = hostOf(originalUrl);
  return html`<meta property="og:site_name" content="${site.name}" />
    <meta property="og:title" content="${(title ?? unicode).replace(directionControls, '')}" />
    <meta property="og:description" content="${texts.preview.description(unicode)}" />`;
}

/** The host as heading, in both forms if they differ, and the URL. A URL without a host, such as that of an e-mail address, is its own heading. */
function target(
  { site, texts }: PageContext,
  { shortCode, originalUrl }: { shortCode: string; originalUrl: string },
) {
  const { unicode, ascii } = hostOf(originalUrl);
  const url = html`<p class="url">${bidiSafe(originalUrl)}</p>`;
  return html`<p class="faint"><bdi>${texts.preview.redirectsTo(addressOf(site, shortCode))}</bdi></p>
    <h1 class="host">${unicode === '' ? bidiSafe(originalUrl) : html`<bdi>${unicode}</bdi>`}</h1>
    ${unicode === ascii ? undefined : html`<p class="url"><bdi>${ascii}</bdi></p>`}
    ${unicode === '' ? undefined : url}`;
}

function hidden({ site, texts }: PageContext, { shortCode, hasPassword }: Preview) {
  const { title, behindPassword, behindConfirmation } = texts.preview;
  return html`<h1>${title}</h1>
    <p class="url"><bdi>${addressOf(site, shortCode)}</bdi></p>
    <p>${hasPassword ? behindPassword : behindConfirmation}</p>`;
}

function time(date: Date, locale: string) {
  const format = new Intl.DateTimeFormat(locale, { dateStyle: 'long', timeStyle: 'short', timeZone: 'UTC' });
  return html`<time datetime="${date.toISOString()}">${format.format(date)} UTC</time>`;
}

/** Bidirectional control characters, which could reverse the text around them. */
const directionControls = /[\u202A-\u202E\u2066-\u2069]/g;

const bidiSafe = (text: string) => html`<bdi>${text.replace(directionControls, '')}</bdi>`;
