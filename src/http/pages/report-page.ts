import { basePathOf } from '../base-path.ts';
import { html } from './html.ts';
import type { Page } from './page.ts';
import { type PageContext, renderVisitorPage } from './visitor-page.ts';

/** The form with which visitors report a short URL. */
export function reportPage(context: PageContext, shortCode: string): Page {
  const { report } = context.texts;
  const reasons = Object.entries(report.reasons);
  return renderVisitorPage(context, {
    title: report.title,
    hasForm: true,
    main: html`<h1>${report.title}</h1>
      <form method="post" action="${basePathOf(context.site.baseUrl)}/report">
        <label for="short_code">${report.code}</label>
        <input id="short_code" name="short_code" required maxlength="64" value="${shortCode}" />
        <label for="reason">${report.reason}</label>
        <select id="reason" name="reason" required>
          ${reasons.map(([reason, text]) => html`<option value="${reason}">${text}</option>`)}
        </select>
        <label for="comment">${report.comment}</label>
        <textarea id="comment" name="comment" rows="4" maxlength="1000"></textarea>
        <button>${report.send}</button>
      </form>`,
  });
}

/** The page after a report. */
export function reportReceivedPage(context: PageContext): Page {
  const { thanks, received } = context.texts.report;
  return renderVisitorPage(context, {
    title: thanks,
    main: html`<h1>${thanks}</h1>
      <p>${received}</p>`,
  });
}
