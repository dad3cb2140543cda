import { html } from './html.ts';
import { type Page, renderPage } from './page.ts';

/** The page at `/`, for a person who wonders what this site is. */
export const homePage = (baseUrl: string): Page =>
  renderPage({
    title: 'Linkmill',
    main: html`<h1>Linkmill</h1>
      <p>This is a URL shortener. Its short links redirect to longer ones.</p>
      <dl>
        <dt>A short link</dt>
        <dd class="url">${baseUrl}/aB3xY9z</dd>
        <dt>Where it leads, without going there: add a plus sign</dt>
        <dd class="url">${baseUrl}/aB3xY9z+</dd>
      </dl>
      <p><a href="${baseUrl}/report">Report a link</a> · <a href="${baseUrl}/docs">API documentation</a></p>`,
  });
