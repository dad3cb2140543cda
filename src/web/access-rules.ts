import type { IncomingMessage } from 'node:http';
import type { Redis } from 'ioredis';
import type { UserAgents } from '../clicks/enrichment/agents/user-agents.ts';
import type { DetailOf } from '../clicks/enrichment/enrich.ts';
import type { WebConfig } from '../config/web.ts';
import { createGates } from '../http/redirect/access.ts';
import { createPageGate } from '../http/redirect/interstitial.ts';
import { createPreview } from '../http/redirect/preview.ts';
import type { RedirectAnswers } from '../http/redirect/response.ts';
import { createReadClientAddress } from '../http/server/client-address.ts';
import { createWindowCounts } from '../rate-limits/fixed-window.ts';
import { createBounded } from '../resilience/concurrency-limit.ts';
import { createSingleFlight } from '../resilience/single-flight.ts';
import type { Knex } from '../storage/postgres/postgres.ts';
import {
  createPasswordTries,
  networkWindowSeconds,
  urlWindowSeconds,
} from '../urls/access/password-attempts.ts';
import { checkPassword } from '../urls/access/password.ts';
import { createUrlUses } from '../urls/access/usage-limit.ts';
import { createUseStore } from '../urls/access/usage-store.ts';
import { createUrlStore } from '../urls/store/url-store.ts';
import type { Urls } from '../urls/urls.ts';
import type { WebBreakers } from './circuit-breakers.ts';

/** Passwords that are checked at once, and that wait: each takes a thread, of which Node has four for everything. */
const passwordChecks = { atOnce: 2, waiting: 8 };
/** Short URLs that are read from the table for previews at once. */
const maxPreviews = 64;

/** What stands between visitors and short URLs that have a gate, and the previews of all short URLs. */
export function openGates(
  config: WebConfig,
  deps: {
    db: Knex;
    cacheRedis: Redis;
    breakers: WebBreakers;
    urls: Pick<Urls, 'resolve'>;
    detailOf: DetailOf;
    answers: RedirectAnswers;
    isSuspect: (request: IncomingMessage) => boolean;
    userAgents: Pick<UserAgents, 'find'>;
  },
) {
  const { db, cacheRedis, breakers, urls, detailOf, answers, isSuspect, userAgents } = deps;
  const { findByCode } = breakers.postgres.guard(createUrlStore(db));
  const uses = createUrlUses(breakers.postgres.guard(createUseStore(db)));
  const checkInTurn = createBounded(passwordChecks);
  const countTries = (name: string, windowSeconds: number) =>
    createWindowCounts({
      redis: cacheRedis,
      guard: breakers.redis.run,
      prefix: `${config.REDIS_PREFIX}:tries:${name}`,
      windowSeconds,
    });
  const pageGate = createPageGate({
    findUrl: findByCode,
    tries: createPasswordTries({
      byNetwork: countTries('network', networkWindowSeconds),
      byUrl: countTries('url', urlWindowSeconds),
    }),
    checkPassword: (password, hash) => checkInTurn(() => checkPassword(password, hash)),
    readClientAddress: createReadClientAddress(config.TRUSTED_PROXY_HOPS),
    baseUrl: config.BASE_URL,
    schemes: config.ALLOWED_SCHEMES,
  });
  const preview = createPreview({
    urls,
    findUrl: createSingleFlight(maxPreviews, findByCode),
    uses,
    isSuspect,
    baseUrl: config.BASE_URL,
  });
  const isCrawler = (header: string) => userAgents.find(header).isCrawler;
  return {
    gates: createGates({ uses, detailOf, answers, pageGate, isCrawler, showPreview: preview.answer }),
    preview: preview.middleware,
  };
}
