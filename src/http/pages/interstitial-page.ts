import { html } from './html.ts';
import type { Page } from './page.ts';
import type { Texts } from './texts/en.ts';
import { addressOf, type PageContext, renderVisitorPage } from './visitor-page.ts';

/** The field, and for password managers the short URL as user name: each short URL has its own password. */
function passwordField(
  texts: Texts['interstitial'],
  { address, isWrong }: { address: string; isWrong: boolean },
) {
  const error = html`<p class="wrong" id="wrong" role="alert">${texts.wrong}</p>`;
  const described = html` aria-invalid="true" aria-describedby="wrong"`;
  return html`${isWrong ? error : undefined}
    <input name="username" value="${address}" autocomplete="username" hidden />
    <label for="password">${texts.label}</label>
    <input
      id="password"
      name="password"
      type="password"
      required
      autofocus
      autocomplete="current-password"
      ${isWrong ? described : undefined}
    />`;
}

/** A short URL that a visitor has to unlock. */
export interface Interstitial {
  shortCode: string;
  isOneTime: boolean;
  hasPassword: boolean;
  isWrong?: boolean;
  /** Schemes other than http and https that its original URL may have. */
  schemes: readonly string[];
}

/** The page in front of a short URL that requires a password or a confirmation. It does not reveal the original URL. */
export function interstitialPage(context: PageContext, visit: Interstitial): Page {
  const { shortCode, isOneTime, hasPassword, isWrong = false, schemes } = visit;
  const texts = context.texts.interstitial;
  const address = addressOf(context.site, shortCode);
  const title = hasPassword ? texts.password : texts.confirmation;
  return renderVisitorPage(context, {
    title: isWrong ? `${texts.wrongTitle} – ${title}` : title,
    hasForm: true,
    formSchemes: schemes,
    // Without an action, the form is sent to the page's own URL, with the visitor's query.
    main: html`<h1>${title}</h1>
      <p class="url"><bdi>${address}</bdi></p>
      ${isOneTime ? html`<p>${texts.oneTime}</p>` : undefined}
      <form method="post">
        ${hasPassword ? passwordField(texts, { address, isWrong }) : undefined}
        <button>${texts.open}</button>
      </form>`,
  });
}
