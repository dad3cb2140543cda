import { html } from './html.ts';
import { type Page, renderPage } from './page.ts';

/** The page at `/`, for visitors who do not know the service. */
export const homePage = (baseUrl: string): Page =>
  renderPage({
    title: 'Linkmill',
    main: html`<h1>Linkmill</h1>
      <p>Linkmill is a URL shortener. Its short links redirect to longer ones.</p>
      <dl>
        <dt>Short link</dt>
        <dd class="url">${baseUrl}/aB3xY9z</dd>
        <dt>Preview of its destination: add a plus sign</dt>
        <dd class="url">${baseUrl}/aB3xY9z+</dd>
      </dl>
      <p><a href="${baseUrl}/report">Report a link</a> · <a href="${baseUrl}/docs">API documentation</a></p>`,
  });
