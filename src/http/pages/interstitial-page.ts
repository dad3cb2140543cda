import { html } from './html.ts';
import { type Page, renderPage } from './page.ts';

const onceOnly = html`<p>It works only once: when you have opened it, nobody can open it again.</p>`;

function passwordField(isWrong: boolean) {
  const error = html`<p class="wrong" id="wrong" role="alert">That password is wrong.</p>`;
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

/** The page of a short URL that opens for whoever confirms it, or knows its password. It says nothing of where that leads. */
export function interstitialPage(gate: {
  isOneTime: boolean;
  hasPassword: boolean;
  isWrong?: boolean;
  /** Schemes besides http and https to which it may lead. */
  schemes: readonly string[];
}): Page {
  const { isOneTime, hasPassword, isWrong = false, schemes } = gate;
  const title = hasPassword ? 'This link needs a password' : 'Open this link?';
  return renderPage({
    title: isWrong ? `Wrong password: ${title}` : title,
    hasForm: true,
    formSchemes: schemes,
    // Without an action it is sent to where it came from, with the visitor's query.
    main: html`<h1>${title}</h1>
      ${isOneTime ? onceOnly : undefined}
      <form method="post">
        ${hasPassword ? passwordField(isWrong) : undefined}
        <button>Open the link</button>
      </form>`,
  });
}
