import Router from '@koa/router';
import Koa from 'koa';
import type { WorkerConfig } from './config/worker.ts';
import { handleErrors } from './http/middleware/error-handler.ts';
import { workerHealthRoutes } from './http/ops/health-routes.ts';
import { metricsHandlers, metricsRoutes } from './http/ops/metrics.ts';
import { type WorkerHealthDeps, workerHealthHandlers } from './http/ops/worker-health.ts';
import { mountPublic } from './http/routes/mount-public.ts';
import { listenHost } from './http/server/listen-host.ts';
import { listen } from './http/server/server.ts';
import type { Log } from './log.ts';
import { version } from './version.ts';

const workerRoutes = { ...workerHealthRoutes, ...metricsRoutes };

/** Connections of orchestrators and Prometheus. */
const maxConnections = 100;

/** Serves health and metrics of a worker process on `WORKER_PORT`. Rejects when the port is in use. */
export async function openWorkerEndpoint(deps: {
  config: Pick<WorkerConfig, 'HOST' | 'METRICS_TOKEN' | 'METRICS_PUBLIC'>;
  port: number;
  health: Omit<WorkerHealthDeps, 'version'>;
  showMetrics: () => Promise<string>;
  log: Log;
}) {
  const { config, port, health, showMetrics, log } = deps;
  const router = new Router({ sensitive: true });
  const metrics = { showMetrics, token: config.METRICS_TOKEN, isPublic: config.METRICS_PUBLIC };
  mountPublic(router, workerRoutes, {
    ...workerHealthHandlers({ ...health, version }),
    ...metricsHandlers(metrics),
  });
  const app = new Koa();
  app.on('error', (error: unknown) => log.debug({ err: error }, 'failed to send a response'));
  app.use(handleErrors(log, { baseUrl: undefined }));
  app.use(async (ctx, next) => {
    ctx.set('Cache-Control', 'no-store');
    await next();
  });
  app.use(router.routes());
  app.use(router.allowedMethods());
  const handle = app.callback();
  const server = await listen((request, response) => void handle(request, response), {
    port,
    host: listenHost(config.HOST),
    baseUrl: undefined,
    graceMs: 0,
    limits: { max: maxConnections, surplus: 1 },
    maxWaiting: maxConnections,
  });
  log.info({ port: server.port }, 'worker endpoint is listening');
  return server;
}
