import type { IncomingMessage } from 'node:http';
import type { Context, Middleware } from 'koa';
import type { HashNetwork } from '../../rate-limits/client-networks.ts';
import type { RateLimiter, RateLimitResult } from '../../rate-limits/rate-limiter.ts';
import { UrlNotFound } from '../../urls/url.ts';
import { Problem } from '../problems/problem.ts';
import type { ReadClientAddress } from '../server/client-address.ts';
import { isBullBoardPath } from '../server/operator-paths.ts';
import { type ApiState, apiKeyOf } from './authenticate.ts';

/** The rate limiters, by what they count. `src/web/modules/rate-limits.ts` creates them from the settings. */
export interface RateLimiters {
  apiKeys: RateLimiter;
  addresses: RateLimiter;
  unknownCodes: RateLimiter;
  reports: RateLimiter;
  signIns: RateLimiter;
  singleSignOns: RateLimiter;
}

export type RateLimits = ReturnType<typeof createRateLimits>;

/** Rejects requests over a limit with 429 and `Retry-After`. Decisions are synchronous, from memory. */
export function createRateLimits(deps: {
  limiters: RateLimiters;
  hashNetwork: HashNetwork;
  readAddress: ReadClientAddress;
}) {
  const { limiters, hashNetwork, readAddress } = deps;
  const networkOf = (request: IncomingMessage) => hashNetwork(readAddress(request));

  return {
    limiters: limiters as Readonly<RateLimiters>,

    /** Charges an API key, whose request was charged `before` already; undefined without a limit. */
    chargeApiKey: (id: number, amount: number, before: number): RateLimitResult | undefined =>
      limiters.apiKeys.consume(String(id), amount, before),

    /** Charges a request to its client address. Throws a 429 over the limit. */
    chargeAddress(request: IncomingMessage): void {
      requireAllowed(limiters.addresses.consume(networkOf(request)), 'Too many requests from this address.');
    },

    /** Charges a report to its client address. Throws a 429 over the limit. */
    chargeReport(request: IncomingMessage): void {
      requireAllowed(limiters.reports.consume(networkOf(request)), 'Too many reports from this address.');
    },

    /** Charges a sign-in to its client address. Throws a 429 over the limit. */
    chargeSignIn(request: IncomingMessage): void {
      requireAllowed(limiters.signIns.consume(networkOf(request)), 'Too many sign-ins from this address.');
    },

    /** Charges a single sign-on to its client address. Throws a 429 over the limit. */
    chargeSingleSignOn(request: IncomingMessage): void {
      requireAllowed(
        limiters.singleSignOns.consume(networkOf(request)),
        'Too many sign-ins from this address.',
      );
    },

    isAddressExhausted: (request: IncomingMessage): boolean =>
      limiters.addresses.isExhausted(networkOf(request)),

    /** Whether the client address is over its limit of unknown codes. */
    isThrottled: (request: IncomingMessage): boolean =>
      limiters.unknownCodes.mayBeExhausted() && limiters.unknownCodes.isExhausted(networkOf(request)),

    /** Charges an unknown code to its client address. Throws a 429 over the limit. */
    chargeUnknownCode(request: IncomingMessage): void {
      if (!limiters.unknownCodes.isLimiting) return;
      requireAllowed(
        limiters.unknownCodes.consume(networkOf(request)),
        'Too many requests for unknown short URLs from this address.',
      );
    },
  };
}

/** Limits the requests of an API key, and sets the RateLimit headers. Must run after `authenticate`. */
export function limitApiKey(rateLimits: RateLimits): Middleware<ApiState> {
  return async (ctx, next) => {
    charge(ctx, rateLimits, 1);
    await next();
  };
}

/** Charges a request that `limitApiKey` has charged once with its full weight, at most the whole limit. Throws a 429 where less
 *  remains. */
export function chargeAs(ctx: Context, rateLimits: RateLimits, weight: number): void {
  if (weight > 1) charge(ctx, rateLimits, weight - 1, 1);
}

function charge(ctx: Context, rateLimits: RateLimits, amount: number, before = 0): void {
  const limitResult = rateLimits.chargeApiKey(apiKeyOf(ctx.state).id, amount, before);
  if (limitResult) {
    ctx.set(toRateLimitFields(limitResult));
    ctx.set('RateLimit-Limit', String(limitResult.limit));
    ctx.set('RateLimit-Remaining', String(limitResult.remaining));
    ctx.set('RateLimit-Reset', toSeconds(limitResult.resetsInMs));
  }
  requireAllowed(limitResult, 'The API key has exceeded its rate limit.');
}

/** Limits the requests for unknown codes per client address. Known codes are not limited. Must run before the redirect. */
export function limitUnknownCodes(rateLimits: RateLimits): Middleware {
  return async (ctx, next) => {
    try {
      await next();
    } catch (error) {
      if (error instanceof UrlNotFound && !ctx.path.startsWith('/api/'))
        rateLimits.chargeUnknownCode(ctx.req);
      throw error;
    }
  };
}

/** Limits the requests without a valid API key or login per client address. Requests with a valid key are not affected by others from
 *  the same address, and health checks are not limited. */
export function limitAddress(rateLimits: RateLimits): Middleware<ApiState> {
  return async (ctx, next) => {
    const isOfApi = ctx.path.startsWith('/api/');
    const isProtected = isOfApi || ctx.path === '/metrics' || isBullBoardPath(ctx.path);
    if (!isProtected && !isHealth(ctx)) rateLimits.chargeAddress(ctx.req);
    // Passwords can be guessed, unlike API keys: over the limit even the correct one is rejected.
    if (isBullBoardPath(ctx.path) && rateLimits.isAddressExhausted(ctx.req))
      rateLimits.chargeAddress(ctx.req);
    try {
      await next();
    } catch (error) {
      if (error instanceof Problem && error.type === 'unauthorized') rateLimits.chargeAddress(ctx.req);
      throw error;
    }
    // API paths without an operation do not authenticate.
    if (isOfApi && ctx.state.apiKey === undefined) rateLimits.chargeAddress(ctx.req);
  };
}

/** The fields of draft-ietf-httpapi-ratelimit-headers-10: quota, window, remaining requests, and seconds until the reset. */
const toRateLimitFields = ({ limit, remaining, resetsInMs, windowMs }: RateLimitResult) => ({
  'RateLimit-Policy': `"default";q=${limit};w=${Math.ceil(windowMs / 1_000)}`,
  RateLimit: `"default";r=${remaining};t=${toSeconds(resetsInMs)}`,
});

const isHealth = ({ path }: Context) => path === '/health' || path.startsWith('/health/');

const toSeconds = (ms: number) => String(Math.max(1, Math.ceil(ms / 1_000)));

function requireAllowed(limitResult: RateLimitResult | undefined, detail: string): void {
  if (limitResult?.isAllowed !== false) return;
  throw new Problem('rate-limited', detail, {
    headers: { 'Retry-After': toSeconds(limitResult.resetsInMs) },
  });
}
