import { isCodeCaseIgnored } from '../../keys/short-code.ts';
import type { ProblemType } from '../problems/problem-types.ts';
import type { Problem } from '../problems/problem.ts';
import { html } from './html.ts';
import type { Page } from './page.ts';
import type { Texts } from './texts/en.ts';
import { addressOf, type PageContext, renderVisitorPage } from './visitor-page.ts';

/** Problems of the requested short URL itself. */
const ofShortUrl = new Set<ProblemType>(['not-found', 'expired', 'exhausted', 'blocked']);

/** The page for a problem. It depends on nothing but the problem's type and the requested code, so that a deleted short URL looks like one that
 *  never existed. A problem that visitors never cause by following a link has its details in English. */
export function problemPage(
  context: PageContext,
  { type, status, message }: Problem,
  shortCode: string | undefined,
): Page {
  const { site, texts } = context;
  const known: Partial<Record<ProblemType, { title: string; text: string }>> = texts.problems;
  const { title, text } = known[type] ?? { title: texts.otherProblem, text: undefined };
  const address = shortCode !== undefined && ofShortUrl.has(type) ? addressOf(site, shortCode) : undefined;
  return renderVisitorPage(context, {
    title,
    main: html`<p class="faint">${texts.error(status)}</p>
      <h1>${title}</h1>
      ${address === undefined ? undefined : html`<p class="url"><bdi>${address}</bdi></p>`}
      ${text === undefined ? html`<p lang="en">${message}</p>` : html`<p>${text} ${caseHint(type, texts)}</p>`}
      ${type === 'not-found' ? html`<p>${texts.notFound.removed}</p>` : undefined}`,
  });
}

const caseHint = (type: ProblemType, { notFound }: Texts) =>
  type === 'not-found' && !isCodeCaseIgnored() ? notFound.caseMatters : undefined;
