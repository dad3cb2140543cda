import { basePathOf } from '../base-path.ts';
import { html } from './html.ts';
import { type Page, renderPage } from './page.ts';
import type { Texts } from './texts/en.ts';

/** Who runs the service, and where it is. */
export interface Site {
  name: string;
  baseUrl: string;
  /** Undefined for the page at `/` of this service. */
  homeUrl: string | undefined;
  contactUrl: string | undefined;
}

/** What the pages in one language need. */
export interface PageContext {
  site: Site;
  texts: Texts;
}

/** The address of a short URL for people: without its scheme, and not percent-encoded. */
export const addressOf = ({ baseUrl }: Site, shortCode: string): string =>
  `${baseUrl.replace(/^https?:\/\//, '')}/${shortCode}`;

/** Renders a page for visitors, which names the service and has links to its home page and its contact. */
export function renderVisitorPage(
  { site, texts }: PageContext,
  page: Omit<Parameters<typeof renderPage>[0], 'language' | 'header' | 'footer'>,
): Page {
  const { name, baseUrl, homeUrl, contactUrl } = site;
  const basePath = basePathOf(baseUrl);
  return renderPage({
    ...page,
    language: texts.language,
    title: page.title === name ? name : `${page.title} – ${name}`,
    head: html`<link rel="icon" href="${basePath}/favicon.svg" type="image/svg+xml" />${page.head}`,
    header: html`<header><a href="${homeUrl ?? `${basePath}/`}">${name}</a></header>`,
    footer:
      contactUrl === undefined
        ? undefined
        : html`<footer><a href="${contactUrl}">${texts.contact}</a></footer>`,
  });
}
