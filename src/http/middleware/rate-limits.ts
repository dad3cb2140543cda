import type { IncomingMessage } from 'node:http';
import type { Context, Middleware } from 'koa';
import type { NameNetwork } from '../../rate-limits/client-networks.ts';
import type { Budgets, RateLimitResult } from '../../rate-limits/shared-budget.ts';
import { UrlNotFound } from '../../urls/url.ts';
import { Problem } from '../problems/problem.ts';
import type { ReadClientAddress } from '../server/client-address.ts';
import { isBoard } from '../server/operator-paths.ts';
import { type ApiState, apiKeyOf } from './authenticate.ts';

/** Whose requests are limited by what. */
export interface RateLimitBudgets {
  apiKeys: Budgets;
  addresses: Budgets;
  unknownCodes: Budgets;
  reports: Budgets;
}

export type RateLimits = ReturnType<typeof createRateLimits>;

/** Refuses, with 429 and `Retry-After`, what is more than an API key or an address may ask for. Nobody waits to be judged. */
export function createRateLimits(deps: {
  budgets: RateLimitBudgets;
  nameNetwork: NameNetwork;
  readAddress: ReadClientAddress;
}) {
  const { budgets, nameNetwork, readAddress } = deps;
  const networkOf = (request: IncomingMessage) => nameNetwork(readAddress(request));

  return {
    budgets: budgets as Readonly<RateLimitBudgets>,

    /** Takes so much from an API key's budget, from which its request has taken something `before`; undefined without one. */
    takeFromApiKey: (id: number, amount: number, before: number): RateLimitResult | undefined =>
      budgets.apiKeys.take(String(id), amount, before),

    /** Takes a request from its address's budget. Throws the problem where that is spent. */
    takeFromAddress(request: IncomingMessage): void {
      requireWithin(budgets.addresses.take(networkOf(request)), 'Too many requests come from your address.');
    },

    /** Takes a report from the budget of whoever sends it. Throws the problem where that is spent. */
    takeReport(request: IncomingMessage): void {
      requireWithin(budgets.reports.take(networkOf(request)), 'Too many reports come from your address.');
    },

    isAddressExhausted: (request: IncomingMessage): boolean => budgets.addresses.isSpent(networkOf(request)),

    /** Whether whoever asks has spent the budget of codes that lead nowhere. */
    isThrottled: (request: IncomingMessage): boolean => budgets.unknownCodes.isSpent(networkOf(request)),

    /** Takes a code that leads nowhere from the budget of whoever asked for it. Throws the problem where that is spent. */
    takeUnknownCode(request: IncomingMessage): void {
      requireWithin(
        budgets.unknownCodes.take(networkOf(request)),
        'Too many unknown short URLs were asked for from your address.',
      );
    },
  };
}

/** Limits an API key's requests, whose answers say what is left. Stands behind `authenticate`. */
export function limitApiKey(rateLimits: RateLimits): Middleware<ApiState> {
  return async (ctx, next) => {
    charge(ctx, rateLimits, 1);
    await next();
  };
}

/** Has a request that `limitApiKey` has counted as one count as so many of those that its API key may send, or as all of them where
 *  that is fewer. Throws the problem where so many are not left. */
export function chargeAs(ctx: Context, rateLimits: RateLimits, weight: number): void {
  if (weight > 1) charge(ctx, rateLimits, weight - 1, 1);
}

function charge(ctx: Context, rateLimits: RateLimits, amount: number, before = 0): void {
  const limitResult = rateLimits.takeFromApiKey(apiKeyOf(ctx.state).id, amount, before);
  if (limitResult) {
    ctx.set(toRateLimitFields(limitResult));
    ctx.set('RateLimit-Limit', String(limitResult.limit));
    ctx.set('RateLimit-Remaining', String(limitResult.remaining));
    ctx.set('RateLimit-Reset', toSeconds(limitResult.resetsInMs));
  }
  requireWithin(limitResult, 'The API key has sent too many requests.');
}

/** Limits how many codes that lead nowhere an address may ask for, and nothing else: those that lead somewhere do so for
 *  everybody. Stands before what resolves them for visitors. */
export function limitUnknownCodes(rateLimits: RateLimits): Middleware {
  return async (ctx, next) => {
    try {
      await next();
    } catch (error) {
      if (error instanceof UrlNotFound && !ctx.path.startsWith('/api/')) rateLimits.takeUnknownCode(ctx.req);
      throw error;
    }
  };
}

/** Limits an address's requests that no valid API key vouches for: those of pages for everybody, and all that lack a valid key
 *  or login. Whoever has a valid key is never refused for what others at the same address do; health is for everybody at any time. */
export function limitAddress(rateLimits: RateLimits): Middleware<ApiState> {
  return async (ctx, next) => {
    const isOfApi = ctx.path.startsWith('/api/');
    const isProtected = isOfApi || ctx.path === '/metrics' || isBoard(ctx.path);
    if (!isProtected && !isHealth(ctx)) rateLimits.takeFromAddress(ctx.req);
    // A password that people choose can be guessed in the end, unlike a key: here not even the right one passes.
    if (isBoard(ctx.path) && rateLimits.isAddressExhausted(ctx.req)) rateLimits.takeFromAddress(ctx.req);
    try {
      await next();
    } catch (error) {
      if (error instanceof Problem && error.type === 'unauthorized') rateLimits.takeFromAddress(ctx.req);
      throw error;
    }
    // What no operation answers asks for no key.
    if (isOfApi && ctx.state.apiKey === undefined) rateLimits.takeFromAddress(ctx.req);
  };
}

/** The fields of draft-ietf-httpapi-ratelimit-headers-10: quota, window, what remains, and seconds until all of it is available. */
const toRateLimitFields = ({ limit, remaining, resetsInMs, windowMs }: RateLimitResult) => ({
  'RateLimit-Policy': `"default";q=${limit};w=${Math.ceil(windowMs / 1_000)}`,
  RateLimit: `"default";r=${remaining};t=${toSeconds(resetsInMs)}`,
});

const isHealth = ({ path }: Context) => path === '/health' || path.startsWith('/health/');

const toSeconds = (ms: number) => String(Math.max(1, Math.ceil(ms / 1_000)));

function requireWithin(limitResult: RateLimitResult | undefined, detail: string): void {
  if (limitResult?.isWithin !== false) return;
  throw new Problem('rate-limited', detail, {
    headers: { 'Retry-After': toSeconds(limitResult.resetsInMs) },
  });
}
