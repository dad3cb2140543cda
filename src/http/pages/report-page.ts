import type { ReportReason } from '../../reports/report.ts';
import { html } from './html.ts';
import { type Page, renderPage } from './page.ts';

const reasons: Record<ReportReason, string> = {
  phishing: 'It imitates another site (phishing)',
  malware: 'It contains malware',
  spam: 'It is spam',
  illegal: 'It contains illegal content',
  other: 'Other',
};

/** The form with which visitors report a short URL. */
export const reportPage = (shortCode: string, basePath: string): Page =>
  renderPage({
    title: 'Report a link',
    hasForm: true,
    main: html`<h1>Report a link</h1>
      <form method="post" action="${basePath}/report">
        <label for="short_code">Short code (the part after the slash)</label>
        <input id="short_code" name="short_code" required maxlength="64" value="${shortCode}" />
        <label for="reason">Reason</label>
        <select id="reason" name="reason" required>
          ${Object.entries(reasons).map(([reason, text]) => html`<option value="${reason}">${text}</option>`)}
        </select>
        <label for="comment">Comment (optional)</label>
        <textarea id="comment" name="comment" rows="4" maxlength="1000"></textarea>
        <button>Report link</button>
      </form>`,
  });

/** The page after a report. */
export const reportReceivedPage: Page = renderPage({
  title: 'Thank you',
  main: html`<h1>Thank you</h1>
    <p>We will review your report.</p>`,
});
