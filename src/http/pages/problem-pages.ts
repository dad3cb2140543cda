import type { ProblemType } from '../problems/problem-types.ts';
import type { Problem } from '../problems/problem.ts';
import { html } from './html.ts';
import { type Page, renderPage } from './page.ts';

/** What a visitor is told, who has not asked for an API. */
const texts: Partial<Record<ProblemType, { title: string; text: string }>> = {
  'not-found': {
    title: 'There is no such link',
    text: 'It may have been mistyped, or its owner has removed it.',
  },
  expired: { title: 'This link has expired', text: 'It led somewhere until its time was over.' },
  exhausted: { title: 'This link is used up', text: 'It has been opened as often as it may be.' },
  blocked: {
    title: 'This link is blocked',
    text: 'It leads to a site that this service does not lead to.',
  },
  'too-many-attempts': {
    title: 'Too many tries',
    text: 'The password was tried too often. Please try again in a while.',
  },
  'rate-limited': {
    title: 'Too many requests',
    text: 'Too many came from your address. Please try again in a minute.',
  },
  'cross-origin-request': {
    title: 'Please open the link itself',
    text: 'Another site tried to open this link for you, which only its own page can do.',
  },
  unavailable: { title: 'Please try again in a moment', text: 'The service is too busy at the moment.' },
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

/** The page that tells a visitor of a problem; the same bytes for the same kind, ready before anyone asks. */
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
