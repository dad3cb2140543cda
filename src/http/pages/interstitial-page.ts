import { html } from './html.ts';
import { type Page, renderPage } from './page.ts';

const oneTimeHint = html`<p>This link works only once. After you open it, no one can open it again.</p>`;

function passwordField(isWrong: boolean) {
  const error = html`<p class="wrong" id="wrong" role="alert">The password is incorrect.</p>`;
  const described = html` aria-invalid="true" aria-describedby="wrong"`;
  return html`${isWrong ? error : undefined}
    <label for="password">Password</label>
    <input
      id="password"
      name="password"
      type="password"
      required
      autofocus
      autocomplete="off"
      ${isWrong ? described : undefined}
    />`;
}

/** The page in front of a short URL that requires a password or a confirmation. It does not reveal the original URL. */
export function interstitialPage(options: {
  isOneTime: boolean;
  hasPassword: boolean;
  isWrong?: boolean;
  /** Schemes other than http and https that its original URL may have. */
  schemes: readonly string[];
}): Page {
  const { isOneTime, hasPassword, isWrong = false, schemes } = options;
  const title = hasPassword ? 'This link requires a password' : 'Open this link?';
  return renderPage({
    title: isWrong ? `Incorrect password – ${title}` : title,
    hasForm: true,
    formSchemes: schemes,
    // Without an action, the form is sent to the page's own URL, with the visitor's query.
    main: html`<h1>${title}</h1>
      ${isOneTime ? oneTimeHint : undefined}
      <form method="post">
        ${hasPassword ? passwordField(isWrong) : undefined}
        <button>Open link</button>
      </form>`,
  });
}
