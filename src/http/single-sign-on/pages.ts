import { signInMinutes } from '../../single-sign-on/pending-sign-in.ts';
import type { SignInFailure } from '../../single-sign-on/sign-in-failed.ts';
import { html } from '../pages/html.ts';
import { type Page, renderPage } from '../pages/page.ts';
import { singleSignOnPath } from '../server/operator-paths.ts';

type Status = 400 | 403 | 404 | 502 | 503;

/** What a person reads instead of being signed in. */
interface Failure {
  status: Status;
  title: string;
  text: string;
}

const failures: Record<SignInFailure | 'off', Failure> = {
  off: {
    status: 404,
    title: 'Single sign-on is not set up',
    text: 'Sign in with an API key instead.',
  },
  unknown: {
    status: 400,
    title: 'This sign-in cannot be completed',
    text: 'It was begun in another browser or tab, or it has been completed already. Sign in again, and allow cookies for this site.',
  },
  expired: {
    status: 400,
    title: 'The sign-in took too long',
    text: `It has to be completed within ${signInMinutes} minutes. Sign in again.`,
  },
  used: {
    status: 400,
    title: 'This sign-in is not valid any more',
    text: 'The identity provider accepts each sign-in once, for a short time. Sign in again.',
  },
  denied: {
    status: 403,
    title: 'You are not signed in',
    text: 'The sign-in was cancelled, or the identity provider does not allow it. Try again, or ask the administrator of the identity provider for access.',
  },
  'not-member': {
    status: 403,
    title: 'You have no access',
    text: 'The identity provider has signed you in, but you are in no group that may use this service. Ask an administrator to add you to one, then sign in again.',
  },
  'no-groups': {
    status: 403,
    title: 'Your groups are unknown',
    text: 'The identity provider has signed you in, but has not sent your groups. An administrator has to add them to the claims of this service.',
  },
  revoked: {
    status: 403,
    title: 'Your access has ended',
    text: 'An administrator of this service has ended your access. Ask them if you need it.',
  },
  unavailable: {
    status: 503,
    title: 'The identity provider does not answer',
    text: 'Try again in a moment. Until then you can sign in with an API key.',
  },
  clock: {
    status: 502,
    title: 'The clocks differ',
    text: 'The clock of the identity provider and that of this service differ by more than a minute. An administrator has to correct them.',
  },
  invalid: {
    status: 502,
    title: 'The answer of the identity provider is not valid',
    text: 'Sign-ins fail until an administrator has corrected the settings. The log of this service has the reason.',
  },
};

/** Failures that another account of the person may not have. Without being asked, the provider would use the same one again. */
const ofAccount = new Set<SignInFailure | 'off'>(['denied', 'not-member', 'no-groups', 'revoked']);

/** The page for a sign-in that has failed: what happened, and what to do. */
export function failurePage(reason: SignInFailure | 'off', basePath: string): { status: Status; page: Page } {
  const { status, title, text } = failures[reason];
  const path = `${basePath}${singleSignOnPath}`;
  const again = html`<a class="button" href="${path}">Sign in again</a> `;
  const other = html`<a href="${path}?prompt=select_account">Use another account</a> · `;
  const page = renderPage({
    title,
    main: html`<h1>${title}</h1>
      <p>${text}</p>
      <p>
        ${reason === 'off' ? undefined : again}${ofAccount.has(reason) ? other : undefined}<a
          href="${basePath}/admin/"
          >Other ways to sign in</a
        >
      </p>`,
  });
  return { status, page };
}

/** Continues at a URL of this service. A redirect would not: it would still be a request from the site of the provider, with which browsers
 *  send no session cookie. */
export const continuePage = (url: string): Page =>
  renderPage({
    title: 'Signed in',
    head: html`<meta http-equiv="refresh" content="0; url=${url}" />`,
    main: html`<h1>You are signed in</h1>
      <p><a href="${url}">Continue</a></p>`,
  });
