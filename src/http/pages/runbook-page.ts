import { guidance } from '../../resilience/troubles.ts';
import { html, withCode } from './html.ts';
import { type Page, renderPage } from './page.ts';

/** The path of the page; a trouble is a section of it. */
export const runbookPath = '/docs/runbook';

/** The texts change only with a release. */
const maxAgeSeconds = 3_600;

/** The page that explains each trouble of the service in a section of its own. */
export const runbookPage: Page = renderPage({
  title: 'Runbook',
  maxAgeSeconds,
  main: html`<h1>Runbook</h1>
    <p>
      Each section has a condition of <code>/health</code> or a trouble of the page Operations.
      <code>docs/runbook.md</code> has procedures such as backup, restore and upgrade.
    </p>
    ${Object.entries(guidance).map(
      ([code, { title, effect, action }]) =>
        html`<section id="${code}">
          <h2>${title}</h2>
          <p><code>${code}</code></p>
          <p><strong>Effect:</strong> ${withCode(effect)}</p>
          <p><strong>What to do:</strong> ${withCode(action)}</p>
        </section>`,
    )}`,
});
