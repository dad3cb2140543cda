import Router from '@koa/router';
import Koa from 'koa';
import helmet from 'koa-helmet';
import type { KnownApiKeys } from './api-keys/known-api-keys.ts';
import type { ClickWatch } from './clicks/click-watch.ts';
import type { WebConfig } from './config/web.ts';
import { answerErrors } from './http/answer-errors.ts';
import { namePatchTypes } from './http/api-access/accept-patch.ts';
import { shareWithOrigins } from './http/api-access/cors.ts';
import { addApiDocs } from './http/api-docs.ts';
import { type ApiDeps, createHandlers, operationsFor } from './http/api/api.ts';
import { mount } from './http/api/mount.ts';
import { type ApiState, authenticate } from './http/authenticate.ts';
import { basePathOf } from './http/base-path.ts';
import { bullBoard } from './http/bull-board.ts';
import { addHealthRoutes, type HealthDeps } from './http/health.ts';
import { addMetricsRoute } from './http/metrics.ts';
import { homePage } from './http/pages/home-page.ts';
import { answerPage } from './http/pages/page.ts';
import { limitAddress, limitApiKey, limitUnknownCodes, type RateLimits } from './http/rate-limits.ts';
import type { Redirect } from './http/redirect.ts';
import { addReportRoutes } from './http/report.ts';
import type { RequestCounts } from './http/request-counts.ts';
import { addRobotsRoute } from './http/robots.ts';
import { requireUsableSchema } from './http/usable-schema.ts';
import type { Log } from './log.ts';
import type { Queues } from './queues.ts';
import type { PasswordHashing } from './urls/password-hashing.ts';
import type { UrlStore } from './urls/url-store.ts';
import { version } from './version.ts';

export interface AppDeps {
  config: WebConfig;
  redirect: Redirect;
  preview: Koa.Middleware;
  api: ApiDeps;
  knownApiKeys: KnownApiKeys;
  rateLimits: RateLimits;
  passwordHashing: Pick<PasswordHashing, 'hashSlowly'>;
  urlStore: Pick<UrlStore, 'findCrawlable'>;
  queues: Queues;
  requestCounts: RequestCounts;
  clickWatch: ClickWatch;
  /** The text for Prometheus. */
  showMetrics: () => Promise<string>;
  health: Omit<HealthDeps, 'version' | 'clickWatch'>;
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
  app.use(answerErrors(log, { onProblem: requestCounts.addProblem, basePath: basePathOf(config.BASE_URL) }));
  app.use(limitUnknownCodes(rateLimits));
  app.use(redirect.middleware);
  // Behind redirects, which carry what they must and nothing else. Transport security is for whoever ends TLS in front of us to promise.
  app.use(helmet({ contentSecurityPolicy, strictTransportSecurity: false }));
  app.use(noStore);
  app.use(shareWithOrigins(config.CORS_ORIGINS));
  app.use(namePatchTypes);
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
    knownApiKeys,
    rateLimits,
    urlStore,
    clickWatch,
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
  addHealthRoutes(open, { ...health, clickWatch, version });
  addMetricsRoute(open, { showMetrics, token: config.METRICS_TOKEN, isOpen: config.METRICS_OPEN });
  const basePath = basePathOf(config.BASE_URL);
  addApiDocs(open, basePath);
  addRobotsRoute(open, urlStore, basePath);
  addReportRoutes(open, { reports: api.reports, rateLimits, baseUrl: config.BASE_URL });

  // Paths are case-sensitive: the router would match a route in any case, but its middleware in this one only.
  const closed = new Router<ApiState>({ sensitive: true });
  closed.use('/api/v1', requireUsableSchema(health), authenticate(knownApiKeys), limitApiKey(rateLimits));
  mount(closed, operationsFor(api.codeRules), createHandlers(api), { rateLimits, passwordHashing, basePath });
  return [open, closed];
}
