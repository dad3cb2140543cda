import type { Context } from 'koa';
import type { DetailOf } from '../../clicks/enrichment/enrich.ts';
import type { ClickRecorder } from '../../clicks/recording/recorder.ts';
import type { UsageLimit } from '../../urls/access/usage-limit.ts';
import type { CachedUrl, Gate } from '../../urls/cache/entry.ts';
import { UrlExhausted } from '../../urls/url.ts';
import { methodNotAllowed } from '../problems/problem.ts';
import type { Interstitial } from './interstitial.ts';
import { answerRedirect, type RedirectAnswers, uncached } from './response.ts';

/** A visit to a short URL that has a gate, by GET, HEAD or POST; it has begun and has not expired. */
export interface RestrictedVisit {
  shortCode: string;
  url: CachedUrl;
  gate: Gate;
  /** Milliseconds since 1970. */
  now: number;
  /** Of the epoch in which the short URL was looked up. */
  recorder: Pick<ClickRecorder, 'record'>;
}

export type AccessRules = ReturnType<typeof createAccessRules>;

/** What stands between visitors and short URLs that have a gate. */
export function createAccessRules(deps: {
  uses: UsageLimit;
  detailOf: DetailOf;
  answers: Pick<RedirectAnswers, 'toOriginal'>;
  interstitial: Interstitial;
  /** Whether a `User-Agent` is of a program that follows links by itself. */
  isCrawler: (header: string) => boolean;
  /** Answers where a short URL leads, without leading there. */
  showPreview: (ctx: Context, shortCode: string) => Promise<void>;
}) {
  const { uses, detailOf, answers, interstitial, isCrawler, showPreview } = deps;

  /** Uses a short URL once and counts the click, unless all there is to it has been used. */
  async function pass(ctx: Context, { url, now, recorder }: RestrictedVisit): Promise<void> {
    if (isLimited(url) && !(await uses.take(url.id))) throw exhausted(url);
    await recorder.record(url.id, now, detailOf(ctx.req, now));
  }

  async function answerLimited(ctx: Context, visit: RestrictedVisit): Promise<void> {
    const { shortCode, url } = visit;
    if (ctx.method === 'POST') throw methodNotAllowed('GET, HEAD');
    if (ctx.method === 'GET' && isCrawler(ctx.req.headers['user-agent'] ?? '')) {
      await showPreview(ctx, shortCode);
      return;
    }
    if (ctx.method === 'HEAD') await requireLeft(uses, url);
    else await pass(ctx, visit);
    answerRedirect(ctx, uncached(answers.toOriginal(url, ctx.req.url!)));
  }

  async function answerPaged(ctx: Context, visit: RestrictedVisit): Promise<void> {
    const { shortCode, url } = visit;
    if (ctx.method !== 'POST') {
      await requireLeft(uses, url);
      interstitial.show(ctx, url);
      return;
    }
    if (!(await interstitial.opens(ctx, shortCode, url))) return;
    await pass(ctx, visit);
    // Whatever the form had in it is for us alone.
    answerRedirect(ctx, { ...uncached(answers.toOriginal(url, ctx.req.url!)), status: 303 });
  }

  return {
    /** Answers where a limited short URL leads, and uses nothing up. Throws UrlExhausted. */
    answerPreview: showPreview,

    /** Answers a visit. Throws UrlExhausted, a Problem, Overloaded, or what PostgreSQL throws. */
    async answer(ctx: Context, visit: RestrictedVisit): Promise<void> {
      await (visit.gate === 'page' ? answerPaged(ctx, visit) : answerLimited(ctx, visit));
    },
  };
}

/** Throws UrlExhausted for a short URL that cannot be used once more at this moment. */
export async function requireLeft(uses: Pick<UsageLimit, 'isLeft'>, url: CachedUrl): Promise<void> {
  if (isLimited(url) && !(await uses.isLeft(url.id))) throw exhausted(url);
}

const isLimited = ({ rules }: CachedUrl) =>
  rules !== undefined && (rules.isOneTime || rules.maxClicks !== null);

const exhausted = ({ rules }: CachedUrl) => new UrlExhausted(rules?.fallbackUrl ?? null);
