import { domainToUnicode } from 'node:url';
import { pathOfCode } from '../../urls/short-url.ts';
import { parseUrl } from '../../validation/parse-url.ts';
import { html } from './html.ts';
import { type Page, renderPage } from './page.ts';

/** What a visitor may know of a short URL before following it. */
export interface Preview {
  shortCode: string;
  /** Undefined where it is only for those who pass a password or use it up. */
  originalUrl: string | undefined;
  title: string | undefined;
  createdAt: Date;
  expiresAt: Date | null;
  hasPassword: boolean;
  isOneTime: boolean;
}

/** Where a URL leads, in the letters that people read and in those that the network uses. */
export function hostOf(originalUrl: string): { unicode: string; ascii: string } {
  const ascii = parseUrl(originalUrl)?.hostname ?? '';
  return { unicode: domainToUnicode(ascii) || ascii, ascii };
}

/** The page that says where a short URL leads. */
export function previewPage(preview: Preview, basePath: string): Page {
  const { shortCode, originalUrl, title, createdAt, expiresAt } = preview;
  return renderPage({
    title: 'Where this link leads',
    ...(originalUrl !== undefined && { head: openGraph(originalUrl, title) }),
    main: html`<h1>Where this link leads</h1>
      <dl>
        ${originalUrl === undefined ? hidden(preview) : target(originalUrl)}
        ${title === undefined ? undefined : row('Title', bidiSafe(title))} ${row('Since', time(createdAt))}
        ${expiresAt ? row('Until', time(expiresAt)) : undefined}
      </dl>
      <p><a class="button" rel="nofollow" href="${basePath}/${pathOfCode(shortCode)}">Open the link</a></p>
      <p><a rel="nofollow" href="${basePath}/report?code=${pathOfCode(shortCode)}">Report this link</a></p>`,
  });
}

/** What link previews show. */
function openGraph(originalUrl: string, title: string | undefined) {
  const { unicode } = hostOf(originalUrl);
  return html`<meta property="og:title" content="${(title ?? unicode).replace(directionControls, '')}" />
    <meta property="og:description" content="Leads to ${unicode}" />`;
}

function target(originalUrl: string) {
  const { unicode, ascii } = hostOf(originalUrl);
  const both = html`<bdi>${unicode}</bdi>, which is <bdi>${ascii}</bdi> to the network`;
  return html`<dt>Address</dt>
    <dd class="url">${bidiSafe(originalUrl)}</dd>
    ${ascii === '' ? undefined : row('Site', unicode === ascii ? html`<bdi>${ascii}</bdi>` : both)}`;
}

function hidden({ hasPassword }: Preview) {
  const reason = hasPassword ? 'Told to those who know the password.' : 'Told to the one who opens it.';
  return row('Address', html`${reason}`);
}

const row = (name: string, value: ReturnType<typeof html>) =>
  html`<dt>${name}</dt>
    <dd>${value}</dd>`;

const format = new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeStyle: 'short', timeZone: 'UTC' });

const time = (date: Date) => html`<time datetime="${date.toISOString()}">${format.format(date)} UTC</time>`;

/** Characters that would make the text beside or after them read backwards. */
const directionControls = /[\u202A-\u202E\u2066-\u2069]/g;

const bidiSafe = (text: string) => html`<bdi>${text.replace(directionControls, '')}</bdi>`;
