import { problemTypes } from '../problems/problem-types.ts';
import { html, withCode } from './html.ts';
import { type Page, renderPage } from './page.ts';

/** The types change only with a release. */
const maxAgeSeconds = 3_600;

/** The page that documents each problem type in a section of its own. */
export const problemTypesPage: Page = renderPage({
  title: 'Problem types',
  maxAgeSeconds,
  main: html`<h1>Problem types</h1>
    <p>
      Errors of the API are <code>application/problem+json</code> (RFC 9457). Their <code>type</code> is a
      link to a section of this page.
    </p>
    ${Object.entries(problemTypes).map(
      ([type, { status, title, when, action }]) =>
        html`<section id="${type}">
          <h2>${type}</h2>
          <p>${status} ${title}</p>
          <p>${withCode(when)}</p>
          <p><strong>What to do:</strong> ${withCode(action)}</p>
        </section>`,
    )}`,
});
