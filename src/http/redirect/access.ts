import type { Context } from 'koa';
import type { EnrichClick } from '../../clicks/enrichment/enrich.ts';
import type { ClickRecorder } from '../../clicks/recording/recorder.ts';
import type { UsageLimit } from '../../urls/access/usage-limit.ts';
import type { CachedUrl, AccessRule } from '../../urls/cache/entry.ts';
import { UrlExhausted } from '../../urls/url.ts';
import { methodNotAllowed } from '../problems/problem.ts';
import type { Interstitial } from './interstitial.ts';
import { type RedirectResponses, sendRedirect, uncached } from './response.ts';

/** A visit by GET, HEAD or POST to a short URL that has an access rule, has started and has not expired. */
export interface RestrictedVisit {
  shortCode: string;
  url: CachedUrl;
  accessRule: AccessRule;
  /** Milliseconds since 1970. */
  now: number;
  /** The recorder of the epoch in which the short URL was looked up. */
  recorder: Pick<ClickRecorder, 'record'>;
}

export type AccessRules = ReturnType<typeof createAccessRules>;

/** Applies the access rules of short URLs: password, one-time use and click limit. */
export function createAccessRules(deps: {
  usageLimit: UsageLimit;
  enrichClick: EnrichClick;
  responses: Pick<RedirectResponses, 'toOriginal'>;
  interstitial: Interstitial;
  /** Whether a `User-Agent` belongs to a program that follows links automatically. */
  isCrawler: (header: string) => boolean;
  /** Answers with the preview of a short URL. */
  showPreview: (ctx: Context, shortCode: string) => Promise<void>;
}) {
  const { usageLimit, enrichClick, responses, interstitial, isCrawler, showPreview } = deps;

  /** Takes one use of a short URL and records the click. Throws UrlExhausted. */
  async function pass(ctx: Context, { url, now, recorder }: RestrictedVisit): Promise<void> {
    if (isLimited(url) && !(await usageLimit.claim(url.id))) throw exhausted(url);
    await recorder.record(url.id, now, enrichClick(ctx.req, now));
  }

  async function answerClickLimit(ctx: Context, visit: RestrictedVisit): Promise<void> {
    const { shortCode, url } = visit;
    if (ctx.method === 'POST') throw methodNotAllowed('GET, HEAD');
    if (ctx.method === 'GET' && isCrawler(ctx.req.headers['user-agent'] ?? '')) {
      await showPreview(ctx, shortCode);
      return;
    }
    if (ctx.method === 'HEAD') await requireClicksLeft(usageLimit, url);
    else await pass(ctx, visit);
    sendRedirect(ctx, uncached(responses.toOriginal(url, ctx.req.url!)));
  }

  async function answerInterstitial(ctx: Context, visit: RestrictedVisit): Promise<void> {
    const { shortCode, url } = visit;
    if (ctx.method !== 'POST') {
      await requireClicksLeft(usageLimit, url);
      interstitial.show(ctx, shortCode, url);
      return;
    }
    if (!(await interstitial.opens(ctx, shortCode, url))) return;
    await pass(ctx, visit);
    // 303: the browser must not send the form on to the original URL.
    sendRedirect(ctx, { ...uncached(responses.toOriginal(url, ctx.req.url!)), status: 303 });
  }

  return {
    /** Answers with the preview of a short URL that has a click limit, without using it. Throws UrlExhausted. */
    answerPreview: showPreview,

    /** Answers a visit. Throws UrlExhausted, a Problem, Overloaded, or an error of PostgreSQL. */
    async answer(ctx: Context, visit: RestrictedVisit): Promise<void> {
      await (visit.accessRule === 'page' ? answerInterstitial(ctx, visit) : answerClickLimit(ctx, visit));
    },
  };
}

/** Throws UrlExhausted for a short URL that has reached its click limit. */
export async function requireClicksLeft(
  usageLimit: Pick<UsageLimit, 'hasClicksLeft'>,
  url: CachedUrl,
): Promise<void> {
  if (isLimited(url) && !(await usageLimit.hasClicksLeft(url.id))) throw exhausted(url);
}

const isLimited = ({ rules }: CachedUrl) =>
  rules !== undefined && (rules.isOneTime || rules.maxClicks !== null);

const exhausted = ({ rules }: CachedUrl) => new UrlExhausted(rules?.fallbackUrl ?? null);
