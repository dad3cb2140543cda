import type { IncomingMessage } from 'node:http';
import type { Redis } from 'ioredis';
import type { DetailOf } from './clicks/details/click-details.ts';
import type { UserAgents } from './clicks/details/user-agents.ts';
import type { WebConfig } from './config/web.ts';
import { createReadClientAddress } from './http/client-address.ts';
import { createGates } from './http/gates.ts';
import { createPageGate } from './http/page-gate.ts';
import { createPreview } from './http/preview.ts';
import type { RedirectAnswers } from './http/redirect-answers.ts';
import type { Knex } from './postgres.ts';
import { createBounded } from './urls/bounded.ts';
import { createPasswordTries, networkWindowSeconds, urlWindowSeconds } from './urls/password-tries.ts';
import { checkPassword } from './urls/passwords.ts';
import { createSingleFlight } from './urls/single-flight.ts';
import { createUrlStore } from './urls/url-store.ts';
import { createUrlUses } from './urls/url-uses.ts';
import type { Urls } from './urls/urls.ts';
import { createUseStore } from './urls/use-store.ts';
import type { WebBreakers } from './web-breakers.ts';
import { createWindowCounts } from './window-counts.ts';

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
