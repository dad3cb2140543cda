import type { Context } from 'koa';
import type { ClickRecorder } from '../clicks/click-recorder.ts';
import type { DetailOf } from '../clicks/details/click-details.ts';
import type { CachedUrl, Gate } from '../urls/cache-entry.ts';
import type { UrlUses } from '../urls/url-uses.ts';
import { UrlExhausted } from '../urls/url.ts';
import type { PageGate } from './page-gate.ts';
import { methodNotAllowed, Problem } from './problem.ts';
import { answerRedirect, type RedirectAnswer, type RedirectAnswers } from './redirect-answers.ts';

/** A visit to a short URL that has a gate, by GET, HEAD or POST; it has begun and has not expired. */
export interface GatedVisit {
  shortCode: string;
  url: CachedUrl;
  gate: Gate;
  /** Milliseconds since 1970. */
  now: number;
  /** Of the epoch in which the short URL was looked up. */
  recorder: Pick<ClickRecorder, 'record'>;
}

export type Gates = ReturnType<typeof createGates>;

/** What stands between visitors and short URLs that have a gate. */
export function createGates(deps: {
  uses: UrlUses;
  detailOf: DetailOf;
  answers: Pick<RedirectAnswers, 'toOriginal'>;
  pageGate: PageGate;
}) {
  const { uses, detailOf, answers, pageGate } = deps;

  /** Uses a short URL once and counts the click, unless all there is to it has been used. */
  async function pass(ctx: Context, { url, now, recorder }: GatedVisit): Promise<void> {
    if (isLimited(url) && !(await uses.take(url.id))) throw exhausted(url);
    await recorder.record(url.id, now, detailOf(ctx.req, now));
  }

  async function answerLimited(ctx: Context, visit: GatedVisit): Promise<void> {
    const { url } = visit;
    if (ctx.method === 'POST') throw methodNotAllowed('GET, HEAD');
    if (ctx.method === 'HEAD') await requireLeft(uses, url);
    else {
      refusePrefetch(ctx);
      await pass(ctx, visit);
    }
    answerRedirect(ctx, uncached(answers.toOriginal(url, ctx.req.url!)));
  }

  async function answerPaged(ctx: Context, visit: GatedVisit): Promise<void> {
    const { shortCode, url } = visit;
    if (ctx.method !== 'POST') {
      await requireLeft(uses, url);
      pageGate.show(ctx, url);
      return;
    }
    if (!(await pageGate.opens(ctx, shortCode, url))) return;
    await pass(ctx, visit);
    // Whatever the form had in it is for us alone.
    answerRedirect(ctx, { ...uncached(answers.toOriginal(url, ctx.req.url!)), status: 303 });
  }

  return {
    /** Answers a visit. Throws UrlExhausted, a Problem, Overloaded, or what PostgreSQL throws. */
    async answer(ctx: Context, visit: GatedVisit): Promise<void> {
      await (visit.gate === 'page' ? answerPaged(ctx, visit) : answerLimited(ctx, visit));
    },
  };
}

/** Throws UrlExhausted for a short URL that cannot be used once more at this moment. */
export async function requireLeft(uses: Pick<UrlUses, 'isLeft'>, url: CachedUrl): Promise<void> {
  if (isLimited(url) && !(await uses.isLeft(url.id))) throw exhausted(url);
}

const isLimited = ({ rules }: CachedUrl) =>
  rules !== undefined && (rules.isOneTime || rules.maxClicks !== null);

const exhausted = ({ rules }: CachedUrl) => new UrlExhausted(rules?.fallbackUrl ?? null);

/** A browser that loads links which nobody has followed yet takes a refusal for "not now". */
function refusePrefetch(ctx: Context): void {
  if (!/prefetch/.test(ctx.get('sec-purpose') || ctx.get('purpose') || ctx.get('x-moz'))) return;
  throw new Problem('prefetch', 'A short URL that is used up by clicks is not fetched in advance.');
}

/** What a browser remembers would be a click that nobody has allowed. */
const uncached = ({ status, headers }: RedirectAnswer): RedirectAnswer => ({
  status,
  headers: { ...headers, 'Cache-Control': 'no-store' },
});
