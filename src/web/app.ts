import Router from '@koa/router';
import Koa from 'koa';
import compose from 'koa-compose';
import helmet from 'koa-helmet';
import type { ApiKeyCache } from '../api-keys/api-key-cache.ts';
import type { WebConfig } from '../config/web.ts';
import { type ApiDeps, createHandlers, operationsFor } from '../http/api/api.ts';
import { mount } from '../http/api/mount.ts';
import { basePathOf } from '../http/base-path.ts';
import { setAcceptPatch } from '../http/middleware/accept-patch.ts';
import { type ApiState, authenticate } from '../http/middleware/authenticate.ts';
import { compressJson } from '../http/middleware/compress-json.ts';
import { allowOrigins } from '../http/middleware/cors.ts';
import { handleErrors } from '../http/middleware/error-handler.ts';
import {
  limitAddress,
  limitApiKey,
  limitUnknownCodes,
  type RateLimits,
} from '../http/middleware/rate-limits.ts';
import type { RequestCounts } from '../http/middleware/request-counts.ts';
import { createSessionReader, type SessionReader } from '../http/middleware/session-reader.ts';
import { requireUsableSchema } from '../http/middleware/usable-schema.ts';
import { createApiDocument } from '../http/openapi/document.ts';
import { bullBoard } from '../http/ops/bull-board.ts';
import type { HealthDeps } from '../http/ops/health.ts';
import type { Pages } from '../http/pages/pages.ts';
import { publicHandlers, publicRoutes } from '../http/public-routes.ts';
import type { Redirect } from '../http/redirect/redirect.ts';
import { mountPublic } from '../http/routes/mount-public.ts';
import { readDashboardFiles } from '../http/static/dashboard-files.ts';
import { serveDashboard } from '../http/static/dashboard.ts';
import { serveIcons } from '../http/static/icons.ts';
import { createSwaggerFiles, type SwaggerFiles } from '../http/static/swagger.ts';
import type { Log } from '../log.ts';
import type { Queues } from '../queues/queues.ts';
import type { SingleSignOn } from '../single-sign-on/single-sign-on.ts';
import type { PasswordHashing } from '../urls/access/password.ts';
import type { UrlStore } from '../urls/store/url-store.ts';

export interface AppDeps {
  config: WebConfig;
  redirect: Redirect;
  preview: Koa.Middleware;
  pages: Pages;
  api: ApiDeps;
  apiKeyCache: ApiKeyCache;
  rateLimits: RateLimits;
  passwordHashing: Pick<PasswordHashing, 'hashWithSalt'>;
  urlStore: Pick<UrlStore, 'findCrawlable'>;
  queues: Queues;
  singleSignOn: SingleSignOn | undefined;
  requestCounts: RequestCounts;
  /** Returns the metrics in Prometheus' text format. */
  showMetrics: () => Promise<string>;
  health: HealthDeps;
  log: Log;
}

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

/** The Koa application: its middleware, outermost first, then its routers. */
export function createApp(deps: AppDeps): Koa {
  const { config, redirect, preview, pages, rateLimits, requestCounts, log } = deps;
  const app = new Koa();
  // Errors after the response has begun, such as a disconnected client.
  app.on('error', (error: unknown) => log.debug({ err: error }, 'failed to deliver a response'));
  const sessionReader = createSessionReader({ sessions: deps.api.sessions, baseUrl: config.BASE_URL });
  const basePath = basePathOf(config.BASE_URL);
  const swaggerFiles = createSwaggerFiles(basePath);
  const page = {
    basePath,
    providerName: deps.singleSignOn && config.OIDC_PROVIDER_NAME,
  };
  const middleware = [
    requestCounts.middleware,
    handleErrors(log, { onProblem: requestCounts.addProblem, baseUrl: config.BASE_URL, pages }),
    limitUnknownCodes(rateLimits),
    redirect.middleware,
    // After redirects, which carry only their own headers. HSTS belongs to the proxy that terminates TLS.
    helmet({ contentSecurityPolicy, strictTransportSecurity: false }),
    noStore,
    allowOrigins(config.CORS_ORIGINS),
    setAcceptPatch,
    compressJson,
    limitAddress(rateLimits),
    preview,
    serveDashboard(readDashboardFiles(page), basePath),
    serveIcons,
    swaggerFiles.middleware,
    openBullBoard(deps, sessionReader),
  ];
  for (const one of middleware) app.use(one);
  for (const router of [createPublicRouter(deps, swaggerFiles), createApiRouter(deps, sessionReader)]) {
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

const openBullBoard = ({ config, queues }: AppDeps, sessionReader: SessionReader) =>
  bullBoard({
    queues,
    sessionReader,
    user: config.BULL_BOARD_USER,
    password: config.BULL_BOARD_PASSWORD,
    readOnly: config.BULL_BOARD_READ_ONLY,
    baseUrl: config.BASE_URL,
  });

/** Answers `publicRoutes`. The redirect and the preview answer `visitRoutes`. */
function createPublicRouter(deps: AppDeps, swaggerFiles: SwaggerFiles): Router {
  const { config, health, api } = deps;
  const router = new Router({ sensitive: true });
  const handlers = publicHandlers({
    ...deps,
    ...health,
    reports: api.reports,
    baseUrl: config.BASE_URL,
    token: config.METRICS_TOKEN,
    isPublic: config.METRICS_PUBLIC,
    swaggerFiles,
    createDocument: () => createApiDocument(config.BASE_URL),
  });
  mountPublic(router, publicRoutes, handlers);
  return router;
}

/** Answers the operations of the API. */
function createApiRouter(deps: AppDeps, sessionReader: SessionReader): Router<ApiState> {
  const { config, api, apiKeyCache, rateLimits, health, passwordHashing } = deps;
  // Case-sensitive: the router matches routes in any case otherwise, but its middleware only in this one.
  const router = new Router<ApiState>({ sensitive: true });
  router.use('/api/v1', requireUsableSchema(health));
  mount(router, operationsFor(api.codeRules), createHandlers(api), {
    authenticate: compose([authenticate({ apiKeyCache, sessionReader }), limitApiKey(rateLimits)]),
    rateLimits,
    passwordHashing,
    basePath: basePathOf(config.BASE_URL),
  });
  return router;
}
