import Router from '@koa/router';
import Koa from 'koa';
import helmet from 'koa-helmet';
import type { ApiKeyCache } from '../api-keys/api-key-cache.ts';
import type { ClickStatusReader } from '../clicks/recording/status.ts';
import type { WebConfig } from '../config/web.ts';
import { type ApiDeps, createHandlers, operationsFor } from '../http/api/api.ts';
import { mount } from '../http/api/mount.ts';
import { setAcceptPatch } from '../http/middleware/accept-patch.ts';
import { type ApiState, authenticate } from '../http/middleware/authenticate.ts';
import { allowOrigins } from '../http/middleware/cors.ts';
import { handleErrors } from '../http/middleware/error-handler.ts';
import {
  limitAddress,
  limitApiKey,
  limitUnknownCodes,
  type RateLimits,
} from '../http/middleware/rate-limits.ts';
import type { RequestCounts } from '../http/middleware/request-counts.ts';
import { requireUsableSchema } from '../http/middleware/usable-schema.ts';
import { addApiDocs } from '../http/ops/api-docs.ts';
import { bullBoard } from '../http/ops/bull-board.ts';
import { addHealthRoutes, type HealthDeps } from '../http/ops/health.ts';
import { addMetricsRoute } from '../http/ops/metrics.ts';
import { homePage } from '../http/pages/home-page.ts';
import { answerPage } from '../http/pages/page.ts';
import type { Redirect } from '../http/redirect/redirect.ts';
import { addReportRoutes } from '../http/redirect/report.ts';
import { addRobotsRoute } from '../http/redirect/robots.ts';
import { basePathOf } from '../http/server/base-path.ts';
import type { Log } from '../log.ts';
import type { Queues } from '../queues/queues.ts';
import type { PasswordHashing } from '../urls/access/password.ts';
import type { UrlStore } from '../urls/store/url-store.ts';
import { version } from '../version.ts';

export interface AppDeps {
  config: WebConfig;
  redirect: Redirect;
  preview: Koa.Middleware;
  api: ApiDeps;
  apiKeyCache: ApiKeyCache;
  rateLimits: RateLimits;
  passwordHashing: Pick<PasswordHashing, 'hashWithSalt'>;
  urlStore: Pick<UrlStore, 'findCrawlable'>;
  queues: Queues;
  requestCounts: RequestCounts;
  clickStatus: ClickStatusReader;
  /** The text for Prometheus. */
  showMetrics: () => Promise<string>;
  health: Omit<HealthDeps, 'version' | 'clickStatus'>;
  log: Log;
}

/** Everything that Bull Board's page needs, and nothing from other hosts. */
const contentSecurityPolicy = {
  useDefaults: false,
  directives: {
    'default-src': ["'self'"],
    'style-src': ["'self'", "'unsafe-inline'"],
    'img-src': ["'self'", 'data:'],
    'object-src': ["'none'"],
    'base-uri': ["'self'"],
    'frame-ancestors': ["'none'"],
  },
};

/** The web process's middleware, in order. */
export function createApp(deps: AppDeps): Koa {
  const { config, redirect, preview, rateLimits, requestCounts, queues, log } = deps;
  const app = new Koa();
  // What happens after the answer has begun, such as a client that went away.
  app.on('error', (error: unknown) => log.debug({ err: error }, 'answer not delivered'));
  app.use(requestCounts.middleware);
  app.use(handleErrors(log, { onProblem: requestCounts.addProblem, basePath: basePathOf(config.BASE_URL) }));
  app.use(limitUnknownCodes(rateLimits));
  app.use(redirect.middleware);
  // Behind redirects, which carry what they must and nothing else. Transport security is for whoever ends TLS in front of us to promise.
  app.use(helmet({ contentSecurityPolicy, strictTransportSecurity: false }));
  app.use(noStore);
  app.use(allowOrigins(config.CORS_ORIGINS));
  app.use(setAcceptPatch);
  app.use(limitAddress(rateLimits));
  app.use(preview);
  if (config.BULL_BOARD_PASSWORD !== undefined) {
    app.use(
      bullBoard({
        queues,
        user: config.BULL_BOARD_USER,
        password: config.BULL_BOARD_PASSWORD,
        readOnly: config.BULL_BOARD_READ_ONLY,
        baseUrl: config.BASE_URL,
      }),
    );
  }
  for (const router of createRouters(deps)) {
    app.use(router.routes());
    app.use(router.allowedMethods());
  }
  return app;
}

/** Answers are for whoever asked, now, unless a route says otherwise. */
const noStore: Koa.Middleware = async (ctx, next) => {
  ctx.set('Cache-Control', 'no-store');
  await next();
};

/** Every route but the redirect and Bull Board: the public ones, and the API behind its keys. */
export function createRouters(deps: AppDeps) {
  const {
    config,
    api,
    apiKeyCache,
    rateLimits,
    urlStore,
    clickStatus,
    showMetrics,
    health,
    passwordHashing,
  } = deps;
  const open = new Router({ sensitive: true });
  const home = homePage(config.BASE_URL);
  open.get('/', (ctx) => {
    ctx.vary('Accept');
    if (ctx.accepts('json', 'html') === 'html') answerPage(ctx, 200, home);
    else ctx.body = { service: 'linkmill', version };
  });
  addHealthRoutes(open, { ...health, clickStatus, version });
  addMetricsRoute(open, { showMetrics, token: config.METRICS_TOKEN, isOpen: config.METRICS_PUBLIC });
  const basePath = basePathOf(config.BASE_URL);
  addApiDocs(open, basePath);
  addRobotsRoute(open, urlStore, basePath);
  addReportRoutes(open, { reports: api.reports, rateLimits, baseUrl: config.BASE_URL });

  // Paths are case-sensitive: the router would match a route in any case, but its middleware in this one only.
  const closed = new Router<ApiState>({ sensitive: true });
  closed.use('/api/v1', requireUsableSchema(health), authenticate(apiKeyCache), limitApiKey(rateLimits));
  mount(closed, operationsFor(api.codeRules), createHandlers(api), { rateLimits, passwordHashing, basePath });
  return [open, closed];
}
