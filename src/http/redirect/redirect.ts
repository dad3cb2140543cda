import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Context, Middleware } from 'koa';
import type { EnrichClick } from '../../clicks/enrichment/enrich.ts';
import type { ClickRecorder } from '../../clicks/recording/recorder.ts';
import { readShortCode } from '../../keys/short-code.ts';
import { type CachedUrl, accessRuleOf } from '../../urls/cache/entry.ts';
import type { Tier } from '../../urls/lookup.ts';
import { UrlExhausted, UrlExpired, UrlNotFound } from '../../urls/url.ts';
import type { Urls } from '../../urls/urls.ts';
import { failureOf } from '../problems/from-error.ts';
import { methodNotAllowed, Problem } from '../problems/problem.ts';
import { rawPathOf, shortCodeOf } from '../server/target-path.ts';
import type { AccessRules } from './access.ts';
import type { AnswerNotFound } from './not-found.ts';
import { type RedirectResponses, sendRedirect, uncached } from './response.ts';
import { type Speculation, speculationOf } from './speculation.ts';

interface RedirectDeps {
  urls: Pick<Urls, 'resolve' | 'resolveFromMemory' | 'count'>;
  /** `current` is the recorder of the epoch in which a look-up begins. */
  clickRecorder: Pick<ClickRecorder, 'recordThen'> & {
    current: () => Pick<ClickRecorder, 'record' | 'recordThen'>;
  };
  enrichClick: EnrichClick;
  responses: RedirectResponses;
  accessRules: AccessRules;
  answerNotFound: AnswerNotFound;
  /** Whether a client has requested too many unknown codes. */
  isThrottled: (request: IncomingMessage) => boolean;
  /** Is called with the tier that resolved the short code of a request, unless the fast path did. */
  onTier: (request: IncomingMessage, tier: Tier) => void;
}

/** When a visit began. */
interface Visit {
  /** Milliseconds since 1970. */
  now: number;
  /** The recorder of the epoch in which its look-up began. */
  recorder: Pick<ClickRecorder, 'recordThen'>;
}

/** The look-up of a request's short code, in all tiers. */
interface Lookup extends Visit {
  url: Promise<CachedUrl>;
  /** Undefined until `url` resolves. */
  tier: Tier | undefined;
  recorder: Pick<ClickRecorder, 'record' | 'recordThen'>;
}

/** What a visit found that needs no Koa: a short URL that redirects at once, or none. */
type Found = CachedUrl | 'not_found';

/** `handle` sets the look-up, and the Koa middleware continues with it. */
interface RedirectRequest extends IncomingMessage {
  lookup?: Lookup;
}

type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

export type Redirect = ReturnType<typeof createRedirect>;

/** `GET /{short_code}`, with or without a trailing slash: redirects to the original URL, byte for byte, and records a click. The fast path and
 *  `handle` answer plain visits and unknown codes ahead of Koa; `middleware` answers HEAD, POST, access rules, speculative requests and errors. */
export function createRedirect(deps: RedirectDeps) {
  const { urls, clickRecorder, enrichClick, responses, accessRules, answerNotFound, isThrottled, onTier } =
    deps;

  /** Finds what a visit needs in the memory cache, synchronously: a promise would cost more than the look-up. */
  function findInMemory(request: IncomingMessage, now: number): Found | undefined {
    if (request.method !== 'GET') return undefined;
    const found = urls.resolveFromMemory(rawPathOf(request.url!), now);
    const isPlain = found === 'not_found' || (found !== undefined && speculationOf(request) === undefined);
    return isPlain ? found : undefined;
  }

  function lookUp(request: IncomingMessage, shortCode: string): Lookup {
    const now = Date.now();
    const lookup: Omit<Lookup, 'url'> = { now, tier: undefined, recorder: clickRecorder.current() };
    const url = urls.resolve(shortCode, now, isThrottled(request), (tier) => {
      lookup.tier = tier;
      onTier(request, tier);
    });
    return Object.assign(lookup, { url });
  }

  /** Finds what a visit needs in any tier; undefined if it is not a plain visit, or its look-up fails. */
  async function find(request: IncomingMessage, lookup: Lookup): Promise<Found | undefined> {
    try {
      const url = await lookup.url;
      const isPlain = accessRuleOf(url) === undefined && speculationOf(request) === undefined;
      return isPlain ? url : undefined;
    } catch (error) {
      // The middleware awaits the look-up again, and answers any other error.
      return error instanceof UrlNotFound ? 'not_found' : undefined;
    }
  }

  /** Sends a redirect, once its click is recorded. Throws, before anything is sent, if the URL cannot be a header. */
  function respond(request: IncomingMessage, response: ServerResponse, url: CachedUrl, visit: Visit): void {
    const { status, headers } = responses.toOriginal(url, request.url!);
    // Node sends the head together with the end.
    response.writeHead(status, headers);
    visit.recorder.recordThen(url.id, visit.now, () => response.end(), enrichClick(request, visit.now));
  }

  /** Answers ahead of Koa, and counts a redirect under its tier. False if nothing was found, or it cannot be sent. */
  function tryAnswer(
    request: IncomingMessage,
    response: ServerResponse,
    found: Found | undefined,
    visit: Visit & { tier: Tier },
  ): boolean {
    if (found === undefined) return false;
    try {
      if (found === 'not_found') {
        answerNotFound(request, response);
        return true;
      }
      respond(request, response, found, visit);
    } catch {
      return false;
    }
    urls.count(visit.tier);
    return true;
  }

  async function answer(ctx: Context, shortCode: string): Promise<void> {
    const lookup = (ctx.req as RedirectRequest).lookup ?? lookUp(ctx.req, shortCode);
    const url = await lookup.url;
    const tier = lookup.tier!;
    const speculation = ctx.method === 'GET' ? speculationOf(ctx.req) : undefined;
    if (speculation !== undefined && accessRuleOf(url) !== 'page') {
      urls.count('prefetch');
      await answerSpeculation(ctx, { shortCode, url, speculation });
      return;
    }
    try {
      await answerVisit(ctx, { ...lookup, shortCode, url });
    } catch (error) {
      urls.count(failureOf(error) ?? tier);
      throw error;
    }
    urls.count(tier);
  }

  /** Answers a request that a browser makes before anyone follows the link; records no click. */
  async function answerSpeculation(
    ctx: Context,
    { shortCode, url, speculation }: { shortCode: string; url: CachedUrl; speculation: Speculation },
  ): Promise<void> {
    if (speculation === 'prefetch') throw prefetchNotAllowed();
    if (accessRuleOf(url) === undefined) sendRedirect(ctx, uncached(responses.toOriginal(url, ctx.req.url!)));
    else await accessRules.answerPreview(ctx, shortCode);
  }

  async function answerVisit(
    ctx: Context,
    visit: { shortCode: string; url: CachedUrl; now: number; recorder: Lookup['recorder'] },
  ): Promise<void> {
    const accessRule = accessRuleOf(visit.url);
    if (accessRule !== undefined) await accessRules.answer(ctx, { ...visit, accessRule });
    else if (ctx.method === 'POST') throw methodNotAllowed('GET, HEAD');
    else if (ctx.method === 'HEAD') sendRedirect(ctx, responses.toOriginal(visit.url, ctx.req.url!));
    else {
      respond(ctx.req, ctx.res, visit.url, visit);
      ctx.respond = false;
    }
  }

  return {
    /** The fast path: answers a plain visit from the memory cache. Returns whether it did. */
    tryMemory(request: IncomingMessage, response: ServerResponse): boolean {
      const now = Date.now();
      const visit = { now, recorder: clickRecorder, tier: 'memory' as const };
      return tryAnswer(request, response, findInMemory(request, now), visit);
    },

    /** Answers a plain visit from any tier, and passes every other request to Koa, with the look-up that has begun. */
    async handle(request: RedirectRequest, response: ServerResponse, koa: Handler): Promise<void> {
      const shortCode = request.method === 'GET' ? readShortCode(shortCodeOf(request.url!)) : undefined;
      if (shortCode !== undefined) {
        const lookup = lookUp(request, shortCode);
        const found = await find(request, lookup);
        if (tryAnswer(request, response, found, { ...lookup, tier: lookup.tier! })) return;
        request.lookup = lookup;
      }
      await koa(request, response);
    },

    /** Comes before all other middleware: redirects carry no headers but their own. */
    middleware: (async (ctx, next) => {
      const shortCode = readShortCode(shortCodeOf(ctx.path));
      if (shortCode === undefined) {
        await next();
        return;
      }
      if (!['GET', 'HEAD', 'POST'].includes(ctx.method)) throw methodNotAllowed('GET, HEAD');
      try {
        await answer(ctx, shortCode);
      } catch (error) {
        const hasEnded = error instanceof UrlExpired || error instanceof UrlExhausted;
        if (!hasEnded || error.fallbackUrl === null) throw error;
        sendRedirect(ctx, responses.toFallback(error.fallbackUrl));
      }
    }) satisfies Middleware as Middleware,
  };
}

/** A browser reuses a prefetched redirect for the visit whatever `Cache-Control` says, so the visit would not be counted.
 *  It drops a rejected prefetch, and requests again on the visit. */
const prefetchNotAllowed = () =>
  new Problem('prefetch-not-allowed', 'Prefetching short URLs is not allowed: each visit is counted.', {
    headers: { Vary: 'Sec-Purpose, Purpose, X-Purpose, X-Moz' },
  });
