import type { ProblemType } from '../problems/problem-types.ts';
import type { Problem } from '../problems/problem.ts';
import { html } from './html.ts';
import { type Page, renderPage } from './page.ts';

/** The texts of problems for visitors, who see a page instead of JSON. */
const texts: Partial<Record<ProblemType, { title: string; text: string }>> = {
  'not-found': {
    title: 'Link not found',
    text: 'The link may be mistyped, or its owner may have removed it.',
  },
  expired: { title: 'This link has expired', text: 'It no longer redirects.' },
  exhausted: {
    title: 'This link has reached its click limit',
    text: 'It no longer redirects.',
  },
  blocked: {
    title: 'This link is blocked',
    text: 'The site that this link redirects to is blocked.',
  },
  'too-many-attempts': {
    title: 'Too many attempts',
    text: 'The password was entered incorrectly too often. Please try again later.',
  },
  'rate-limited': {
    title: 'Too many requests',
    text: 'Your network has sent too many requests. Please try again in a minute.',
  },
  'cross-origin-request': {
    title: 'Please open the link directly',
    text: 'Another site tried to open this link for you. For your protection, this is not allowed.',
  },
  unavailable: {
    title: 'Temporarily unavailable',
    text: 'The service is temporarily unavailable. Please try again in a moment.',
  },
};

const prepared = new Map(
  Object.entries(texts).map(([type, { title, text }]) => [
    type,
    renderPage({
      title,
      main: html`<h1>${title}</h1>
        <p>${text}</p>`,
    }),
  ]),
);

/** The page for a problem. Pages with a text above are rendered once: the same problem gives the same bytes. */
export function problemPage({ type, message }: Problem, title: string): Page {
  return (
    prepared.get(type) ??
    renderPage({
      title,
      main: html`<h1>${title}</h1>
        <p>${message}</p>`,
    })
  );
}
