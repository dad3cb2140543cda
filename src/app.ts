import Router from '@koa/router';
import Koa from 'koa';
import helmet from 'koa-helmet';
import type { ApiKeys } from './api-keys/api-keys.ts';
import type { KnownApiKeys } from './api-keys/known-api-keys.ts';
import type { ClickWatch } from './clicks/click-watch.ts';
import type { WebConfig } from './config.ts';
import { addApiDocs } from './http/api-docs.ts';
import { createHandlers, operations } from './http/api/api.ts';
import { mount } from './http/api/mount.ts';
import { type ApiState, authenticate } from './http/authenticate.ts';
import { bullBoard } from './http/bull-board.ts';
import { answerErrors } from './http/errors.ts';
import { addHealthRoutes, type HealthDeps } from './http/health.ts';
import { addMetricsRoute } from './http/metrics.ts';
import type { Redirect } from './http/redirect.ts';
import type { RequestCounts } from './http/request-counts.ts';
import { addRobotsRoute } from './http/robots.ts';
import type { Queues } from './jobs.ts';
import type { Keys } from './keys/keys.ts';
import type { Log } from './log.ts';
import type { QrImages } from './qr/qr-images.ts';
import type { UrlStore } from './urls/url-store.ts';
import type { Urls } from './urls/urls.ts';
import { version } from './version.ts';
import type { WebAnalytics } from './web-analytics.ts';
import type { Finding } from './web-finding.ts';
import type { Transfers } from './web-transfers.ts';

export interface AppDeps {
  config: WebConfig;
  urls: Urls;
  finding: Finding;
  analytics: WebAnalytics;
  qrImages: QrImages;
  urlStore: Pick<UrlStore, 'findCrawlable'>;
  keys: Keys;
  transfers: Transfers;
  redirect: Redirect;
  preview: Koa.Middleware;
  requestCounts: RequestCounts;
  clickWatch: ClickWatch;
  /** The text for Prometheus. */
  showMetrics: () => Promise<string>;
  apiKeys: ApiKeys;
  knownApiKeys: KnownApiKeys;
  queues: Queues;
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
  const { config, redirect, preview, requestCounts, queues, log } = deps;
  const app = new Koa();
  // What happens after the answer has begun, such as a client that went away.
  app.on('error', (error: unknown) => log.debug({ err: error }, 'answer not delivered'));
  app.use(requestCounts.middleware);
  app.use(answerErrors(log));
  app.use(redirect.middleware);
  app.use(preview);
  // Transport security is for whoever ends TLS in front of us to promise.
  app.use(helmet({ contentSecurityPolicy, strictTransportSecurity: false }));
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

/** Answers of the API are for whoever asked, now. */
const noStore: Koa.Middleware = async (ctx, next) => {
  ctx.set('Cache-Control', 'no-store');
  await next();
};

/** Every route but the redirect and Bull Board: the public ones, and the API behind its keys. */
export function createRouters(deps: AppDeps) {
  const { config, urls, urlStore, finding, qrImages, keys, transfers, queues, apiKeys, knownApiKeys } = deps;
  const { analytics, clickWatch, showMetrics, health, log } = deps;
  const open = new Router({ sensitive: true });
  open.get('/', (ctx) => {
    ctx.body = { service: 'linkmill', version };
  });
  addHealthRoutes(open, { ...health, clickWatch, version });
  addMetricsRoute(open, { showMetrics, token: config.METRICS_TOKEN });
  addApiDocs(open);
  addRobotsRoute(open, urlStore);

  // Paths are case-sensitive: the router would match a route in any case, but its middleware in this one only.
  const api = new Router<ApiState>({ sensitive: true });
  api.use('/api/v1', noStore, authenticate(knownApiKeys));
  const baseUrl = config.BASE_URL;
  mount(
    api,
    operations,
    createHandlers({
      urls,
      finding,
      ...analytics,
      qrImages,
      keys,
      ...transfers,
      queues,
      apiKeys,
      baseUrl,
      log,
    }),
  );
  return [open, api];
}
