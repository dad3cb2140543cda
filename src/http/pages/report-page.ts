import type { ReportReason } from '../../reports/report.ts';
import { html } from './html.ts';
import { type Page, renderPage } from './page.ts';

const reasons: Record<ReportReason, string> = {
  phishing: 'It pretends to be another site',
  malware: 'It harms my device',
  spam: 'It was sent to me without my wish',
  illegal: 'It shows what is against the law',
  other: 'Something else',
};

/** The page on which visitors say what is wrong with a short URL. */
export const reportPage = (shortCode: string, basePath: string): Page =>
  renderPage({
    title: 'Report a link',
    hasForm: true,
    main: html`<h1>Report a link</h1>
      <form method="post" action="${basePath}/report">
        <label for="short_code">What comes after the slash in the link</label>
        <input id="short_code" name="short_code" required maxlength="64" value="${shortCode}" />
        <label for="reason">What is wrong with it</label>
        <select id="reason" name="reason" required>
          ${Object.entries(reasons).map(([reason, text]) => html`<option value="${reason}">${text}</option>`)}
        </select>
        <label for="comment">Anything else that we should know</label>
        <textarea id="comment" name="comment" rows="4" maxlength="1000"></textarea>
        <button>Report it</button>
      </form>`,
  });

/** What a visitor sees who has reported one. */
export const thanksPage: Page = renderPage({
  title: 'Thank you',
  main: html`<h1>Thank you</h1>
    <p>We will look at it.</p>`,
});
