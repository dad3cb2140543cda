import { html } from './html.ts';
import type { Page } from './page.ts';
import { addressOf, type PageContext, renderVisitorPage } from './visitor-page.ts';

/** The page at `/`, for visitors who do not know the service. */
export function homePage(context: PageContext): Page {
  const { site, texts } = context;
  const { home } = texts;
  const example = addressOf(site, 'aB3xY9z');
  return renderVisitorPage(context, {
    title: site.name,
    main: html`<h1>${home.title}</h1>
      <p>${home.text}</p>
      <dl>
        <dt>${home.link}</dt>
        <dd class="url">${example}</dd>
        <dt>${home.preview}</dt>
        <dd class="url">${example}+</dd>
      </dl>
      <p>
        <a href="${site.baseUrl}/report">${home.report}</a> · <a href="${site.baseUrl}/docs">${home.docs}</a>
      </p>`,
  });
}
