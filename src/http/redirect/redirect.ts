import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Context, Middleware } from 'koa';
import type { DetailOf } from '../../clicks/enrichment/enrich.ts';
import type { ClickRecorder } from '../../clicks/recording/recorder.ts';
import { readShortCode } from '../../keys/short-code.ts';
import { type CachedUrl, accessRuleOf } from '../../urls/cache/entry.ts';
import type { Tier } from '../../urls/resolve.ts';
import { UrlExhausted, UrlExpired } from '../../urls/url.ts';
import type { Urls } from '../../urls/urls.ts';
import { failureOf } from '../problems/from-error.ts';
import { methodNotAllowed, Problem } from '../problems/problem.ts';
import { codeOf, shortCodeOf } from '../server/redirect-path.ts';
import type { AccessRules } from './access.ts';
import { answerRedirect, type RedirectAnswers, uncached } from './response.ts';
import { type Speculation, speculationOf } from './speculation.ts';

interface RedirectDeps {
  urls: Pick<Urls, 'resolve' | 'resolveAtOnce' | 'count'>;
  /** `current` is the recorder of the epoch in which a look-up begins. */
  clickRecorder: Pick<ClickRecorder, 'recordThen'> & {
    current: () => Pick<ClickRecorder, 'record' | 'recordThen'>;
  };
  detailOf: DetailOf;
  answers: RedirectAnswers;
  gates: AccessRules;
  /** Whether whoever asks has asked for too many codes that lead nowhere. */
  isThrottled: (request: IncomingMessage) => boolean;
  /** Is called with the tier that resolved the short code of a request, unless that is the memory cache. */
  onTier: (request: IncomingMessage, tier: Tier) => void;
}

/** A short code that is being resolved. */
interface LookUp {
  url: Promise<CachedUrl>;
  /** Undefined until it is found. */
  tier: Tier | undefined;
  /** Of the epoch in which it began. */
  recorder: Pick<ClickRecorder, 'record' | 'recordThen'>;
}

type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

export type Redirect = ReturnType<typeof createRedirect>;

/** `GET /{short_code}`, with or without a closing slash: to the original URL, byte for byte, and one click more. `HEAD` answers the same headers and counts
 *  nothing; neither does a request that a browser makes before anybody visits. */
export function createRedirect(deps: RedirectDeps) {
  const { urls, clickRecorder, detailOf, answers, gates, isThrottled, onTier } = deps;
  /** The look-ups of requests that Koa answers. */
  const lookUps = new WeakMap<IncomingMessage, LookUp>();

  function lookUp(request: IncomingMessage, shortCode: string, now: number): LookUp {
    const found: Omit<LookUp, 'url'> = { tier: undefined, recorder: clickRecorder.current() };
    const url = urls.resolve(shortCode, now, isThrottled(request), (tier) => {
      found.tier = tier;
      onTier(request, tier);
    });
    return Object.assign(found, { url });
  }

  /** Throws for a URL that another program stored and no header can carry. */
  function send(
    request: IncomingMessage,
    response: ServerResponse,
    visited: { url: CachedUrl; now: number; recorder: Pick<ClickRecorder, 'recordThen'> },
  ): void {
    const { url, now, recorder } = visited;
    const { status, headers } = answers.toOriginal(url, request.url!);
    // Is sent with the end.
    response.writeHead(status, headers);
    recorder.recordThen(url.id, now, () => response.end(), detailOf(request, now));
  }

  async function visit(ctx: Context, shortCode: string): Promise<void> {
    const now = Date.now();
    const found = lookUps.get(ctx.req) ?? lookUp(ctx.req, shortCode, now);
    const url = await found.url;
    const speculation = ctx.method === 'GET' ? speculationOf(ctx.req) : undefined;
    if (speculation !== undefined && accessRuleOf(url) !== 'page') {
      count(found, 'prefetch');
      await answerInAdvance(ctx, { shortCode, url, speculation });
      return;
    }
    try {
      await answerFound(ctx, { shortCode, url, now, recorder: found.recorder });
      count(found);
    } catch (error) {
      count(found, failureOf(error));
      throw error;
    }
  }

  function count({ tier }: LookUp, outcome?: 'unavailable' | 'error' | 'prefetch'): void {
    if (tier !== undefined) urls.count(outcome ?? tier);
  }

  /** Answers before anybody visits; no click. */
  async function answerInAdvance(
    ctx: Context,
    { shortCode, url, speculation }: { shortCode: string; url: CachedUrl; speculation: Speculation },
  ): Promise<void> {
    if (speculation === 'prefetch') throw notInAdvance();
    if (accessRuleOf(url) === undefined) answerRedirect(ctx, uncached(answers.toOriginal(url, ctx.req.url!)));
    else await gates.answerPreview(ctx, shortCode);
  }

  async function answerFound(
    ctx: Context,
    visited: { shortCode: string; url: CachedUrl; now: number; recorder: LookUp['recorder'] },
  ): Promise<void> {
    const { shortCode, url, now, recorder } = visited;
    const gate = accessRuleOf(url);
    if (gate !== undefined) {
      await gates.answer(ctx, { shortCode, url, gate, now, recorder });
      return;
    }
    if (ctx.method === 'POST') throw methodNotAllowed('GET, HEAD');
    answerRedirect(ctx, answers.toOriginal(url, ctx.req.url!));
    if (ctx.method === 'GET') await recorder.record(url.id, now, detailOf(ctx.req, now));
  }

  return {
    /** Answers a redirect that this process knows by heart, and resolves it to nothing else: a visitor waits. False when it is
     *  for others. */
    answerAtOnce(request: IncomingMessage, response: ServerResponse): boolean {
      if (request.method !== 'GET') return false;
      const now = Date.now();
      const url = urls.resolveAtOnce(codeOf(request.url!), now);
      if (!url || speculationOf(request) !== undefined) return false;
      try {
        send(request, response, { url, now, recorder: clickRecorder });
        urls.count('memory');
        return true;
      } catch {
        return false;
      }
    },

    /** Answers a redirect as soon as a store tells where it leads, ahead of Koa, which is for what leads nowhere or has a gate,
     *  and for every other request. */
    async answerSoon(request: IncomingMessage, response: ServerResponse, koa: Handler): Promise<void> {
      const shortCode = readShortCode(shortCodeOf(request.url!));
      if (request.method === 'GET' && shortCode !== undefined) {
        const now = Date.now();
        const found = lookUp(request, shortCode, now);
        try {
          const url = await found.url;
          if (accessRuleOf(url) === undefined && speculationOf(request) === undefined) {
            send(request, response, { url, now, recorder: found.recorder });
            count(found);
            return;
          }
        } catch {
          // Koa answers why.
        }
        lookUps.set(request, found);
      }
      await koa(request, response);
    },

    /** Answers what is left of redirects, such as HEAD, gates and what they cannot be; stands before every other middleware. */
    middleware: (async (ctx, next) => {
      const shortCode = readShortCode(shortCodeOf(ctx.path));
      if (shortCode === undefined) {
        await next();
        return;
      }
      if (!['GET', 'HEAD', 'POST'].includes(ctx.method)) throw methodNotAllowed('GET, HEAD');
      try {
        await visit(ctx, shortCode);
      } catch (error) {
        const hasEnded = error instanceof UrlExpired || error instanceof UrlExhausted;
        if (!hasEnded || error.fallbackUrl === null) throw error;
        answerRedirect(ctx, answers.toFallback(error.fallbackUrl));
      }
    }) satisfies Middleware as Middleware,
  };
}

/** A visit takes a prefetched redirect over without asking again, whatever `Cache-Control` says, and would never be counted. What is
 *  refused is dropped by browsers, which ask again when somebody visits. */
const notInAdvance = () =>
  new Problem('prefetch', 'A short URL is not fetched in advance: each visit is counted.', {
    headers: { Vary: 'Sec-Purpose, Purpose, X-Purpose, X-Moz' },
  });
