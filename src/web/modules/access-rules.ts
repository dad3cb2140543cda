import type { IncomingMessage } from 'node:http';
import type { UserAgents } from '../../clicks/enrichment/agents/user-agents.ts';
import type { EnrichClick } from '../../clicks/enrichment/enrich.ts';
import type { WebConfig } from '../../config/web.ts';
import type { Pages } from '../../http/pages/pages.ts';
import { createAccessRules } from '../../http/redirect/access.ts';
import { createInterstitial } from '../../http/redirect/interstitial.ts';
import { createPreview } from '../../http/redirect/preview.ts';
import type { RedirectResponses } from '../../http/redirect/response.ts';
import { createReadClientAddress } from '../../http/server/client-address.ts';
import { createFixedWindowCounter } from '../../rate-limits/fixed-window.ts';
import { createConcurrencyLimit } from '../../resilience/concurrency-limit.ts';
import { createSingleFlight } from '../../resilience/single-flight.ts';
import type { Knex } from '../../storage/postgres/postgres.ts';
import type { RedisClient } from '../../storage/redis/client.ts';
import {
  createPasswordAttempts,
  networkWindowSeconds,
  urlWindowSeconds,
} from '../../urls/access/password-attempts.ts';
import { checkPassword } from '../../urls/access/password.ts';
import { createUsageLimit } from '../../urls/access/usage-limit.ts';
import { createUsageStore } from '../../urls/access/usage-store.ts';
import { createUrlStore } from '../../urls/store/url-store.ts';
import type { Urls } from '../../urls/urls.ts';
import type { CircuitBreakers } from '../stores/circuit-breakers.ts';

/** Password checks that run at once, and that wait. Each occupies one of Node's four worker threads. */
const passwordChecks = { concurrency: 2, queueSize: 8 };
/** Concurrent database reads for previews. */
const maxPreviews = 64;

/** The access rules of short URLs (password, one-time use, click limit), and the previews of all short URLs. */
export function openAccessRules(
  config: WebConfig,
  deps: {
    db: Knex;
    cacheRedis: RedisClient;
    breakers: CircuitBreakers;
    urls: Pick<Urls, 'resolve'>;
    enrichClick: EnrichClick;
    responses: RedirectResponses;
    pages: Pages;
    isThrottled: (request: IncomingMessage) => boolean;
    userAgents: Pick<UserAgents, 'find'>;
  },
) {
  const { db, cacheRedis, breakers, urls, enrichClick, responses, pages, isThrottled, userAgents } = deps;
  const { findByCode } = breakers.postgres.guard(createUrlStore(db));
  const usageLimit = createUsageLimit(breakers.postgres.guard(createUsageStore(db)));
  const checkInTurn = createConcurrencyLimit(passwordChecks);
  const countAttempts = (name: string, windowSeconds: number) =>
    createFixedWindowCounter({
      redis: cacheRedis,
      guard: breakers.redis.run,
      prefix: `${config.REDIS_PREFIX}:tries:${name}`,
      windowSeconds,
    });
  const interstitial = createInterstitial({
    findUrl: findByCode,
    attempts: createPasswordAttempts({
      byNetwork: countAttempts('network', networkWindowSeconds),
      byUrl: countAttempts('url', urlWindowSeconds),
    }),
    checkPassword: (password, hash) => checkInTurn(() => checkPassword(password, hash)),
    readClientAddress: createReadClientAddress(config.TRUSTED_PROXY_HOPS),
    pages,
    baseUrl: config.BASE_URL,
    schemes: config.ALLOWED_SCHEMES,
  });
  const preview = createPreview({
    urls,
    findUrl: createSingleFlight(maxPreviews, findByCode),
    usageLimit,
    isThrottled,
    pages,
    baseUrl: config.BASE_URL,
  });
  const isCrawler = (header: string) => userAgents.find(header).isCrawler;
  return {
    accessRules: createAccessRules({
      usageLimit,
      enrichClick,
      responses,
      interstitial,
      isCrawler,
      showPreview: preview.answer,
    }),
    preview: preview.middleware,
  };
}
