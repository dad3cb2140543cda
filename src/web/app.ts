import Router from '@koa/router';
import Koa from 'koa';
import helmet from 'koa-helmet';
import type { ApiKeyCache } from '../api-keys/api-key-cache.ts';
import type { ClickStatusReader } from '../clicks/recording/status.ts';
import type { WebConfig } from '../config/web.ts';
import { type ApiDeps, createHandlers, operations, operationsFor } from '../http/api/api.ts';
import { mount } from '../http/api/mount.ts';
import { basePathOf } from '../http/base-path.ts';
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
import { createApiDocsHandlers } from '../http/ops/api-docs.ts';
import { bullBoard } from '../http/ops/bull-board.ts';
import { createHealthHandlers, type HealthDeps } from '../http/ops/health.ts';
import { createMetricsHandler } from '../http/ops/metrics.ts';
import { createServiceHandler } from '../http/ops/service.ts';
import { problemTypesPath } from '../http/problems/problem-types.ts';
import type { Redirect } from '../http/redirect/redirect.ts';
import { createReportHandlers } from '../http/redirect/report.ts';
import { createRobotsHandler } from '../http/redirect/robots.ts';
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
  /** Returns the metrics in Prometheus' text format. */
  showMetrics: () => Promise<string>;
  health: Omit<HealthDeps, 'version' | 'clickStatus'>;
  log: Log;
}

interface Route {
  method: 'get' | 'post';
  path: `/${string}`;
}

/** The routes that need no API key, by the name of their handler. Redirects, previews and Bull Board are middleware. */
export const publicRoutes = {
  getService: { method: 'get', path: '/' },
  getHealth: { method: 'get', path: '/health' },
  getLiveness: { method: 'get', path: '/health/live' },
  getReadiness: { method: 'get', path: '/health/ready' },
  getMetrics: { method: 'get', path: '/metrics' },
  getApiDocument: { method: 'get', path: '/openapi.json' },
  getApiPage: { method: 'get', path: '/docs' },
  getProblemTypes: { method: 'get', path: problemTypesPath },
  getApiPageScript: { method: 'get', path: '/docs/start.js' },
  getSwaggerScript: { method: 'get', path: '/docs/swagger-ui-bundle.js' },
  getSwaggerStyle: { method: 'get', path: '/docs/swagger-ui.css' },
  getRobots: { method: 'get', path: '/robots.txt' },
  getReportPage: { method: 'get', path: '/report' },
  report: { method: 'post', path: '/report' },
} as const satisfies Record<string, Route>;

/** The routes behind an API key: the operations of the API. */
export const apiRoutes = operations;

/** Bull Board needs inline styles; nothing loads from other hosts. */
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

/** The Koa application: its middleware, in order. */
export function createApp(deps: AppDeps): Koa {
  const { config, redirect, preview, rateLimits, requestCounts, log } = deps;
  const app = new Koa();
  // Errors after the response has begun, such as a disconnected client.
  app.on('error', (error: unknown) => log.debug({ err: error }, 'failed to deliver a response'));
  app.use(requestCounts.middleware);
  app.use(handleErrors(log, { onProblem: requestCounts.addProblem, baseUrl: config.BASE_URL }));
  app.use(limitUnknownCodes(rateLimits));
  app.use(redirect.middleware);
  // After redirects, which carry only their own headers. HSTS belongs to the proxy that terminates TLS.
  app.use(helmet({ contentSecurityPolicy, strictTransportSecurity: false }));
  app.use(noStore);
  app.use(allowOrigins(config.CORS_ORIGINS));
  app.use(setAcceptPatch);
  app.use(limitAddress(rateLimits));
  app.use(preview);
  if (config.BULL_BOARD_PASSWORD !== undefined) app.use(openBullBoard(deps, config.BULL_BOARD_PASSWORD));
  for (const router of [createPublicRouter(deps), createApiRouter(deps)]) {
    app.use(router.routes());
    app.use(router.allowedMethods());
  }
  return app;
}

/** The default `Cache-Control`; a route may set its own. */
const noStore: Koa.Middleware = async (ctx, next) => {
  ctx.set('Cache-Control', 'no-store');
  await next();
};

const openBullBoard = ({ config, queues }: AppDeps, password: string) =>
  bullBoard({
    queues,
    user: config.BULL_BOARD_USER,
    password,
    readOnly: config.BULL_BOARD_READ_ONLY,
    baseUrl: config.BASE_URL,
  });

function createPublicRouter(deps: AppDeps): Router {
  const { config, api, rateLimits, urlStore, clickStatus, showMetrics, health } = deps;
  const basePath = basePathOf(config.BASE_URL);
  const handlers: Record<keyof typeof publicRoutes, Koa.Middleware> = {
    getService: createServiceHandler(config.BASE_URL),
    ...createHealthHandlers({ ...health, clickStatus, version }),
    getMetrics: createMetricsHandler({
      showMetrics,
      token: config.METRICS_TOKEN,
      isPublic: config.METRICS_PUBLIC,
    }),
    ...createApiDocsHandlers(config.BASE_URL),
    getRobots: createRobotsHandler(urlStore, basePath),
    ...createReportHandlers({ reports: api.reports, rateLimits, baseUrl: config.BASE_URL }),
  };
  const router = new Router({ sensitive: true });
  for (const [name, { method, path }] of Object.entries(publicRoutes))
    router[method](path, handlers[name as keyof typeof publicRoutes]);
  return router;
}

function createApiRouter(deps: AppDeps): Router<ApiState> {
  const { config, api, apiKeyCache, rateLimits, health, passwordHashing } = deps;
  // Case-sensitive: the router matches routes in any case otherwise, but its middleware only in this one.
  const router = new Router<ApiState>({ sensitive: true });
  router.use('/api/v1', requireUsableSchema(health), authenticate(apiKeyCache), limitApiKey(rateLimits));
  const basePath = basePathOf(config.BASE_URL);
  mount(router, operationsFor(api.codeRules), createHandlers(api), { rateLimits, passwordHashing, basePath });
  return router;
}
