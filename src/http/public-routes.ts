import { apiDocsHandlers, apiDocsRoutes } from './ops/api-docs.ts';
import { healthRoutes } from './ops/health-routes.ts';
import { healthHandlers } from './ops/health.ts';
import { metricsHandlers, metricsRoutes } from './ops/metrics.ts';
import { serviceHandlers, serviceRoutes } from './ops/service.ts';
import { reportRoutes, visitorReportHandlers } from './redirect/report.ts';
import { robotsHandlers, robotsRoutes } from './redirect/robots.ts';
import type { PublicHandlers } from './routes/public-route.ts';
import { singleSignOnHandlers, singleSignOnRoutes } from './single-sign-on/routes.ts';

/** Every route without an API key that the router answers, by its ID. `visitRoutes` are ahead of the router, and Bull Board is middleware. */
export const publicRoutes = {
  ...serviceRoutes,
  ...reportRoutes,
  ...robotsRoutes,
  ...healthRoutes,
  ...metricsRoutes,
  ...apiDocsRoutes,
  ...singleSignOnRoutes,
};

/** The dependencies of all handlers. */
export type PublicDeps = Parameters<typeof serviceHandlers>[0] &
  Parameters<typeof visitorReportHandlers>[0] &
  Parameters<typeof robotsHandlers>[0] &
  Parameters<typeof healthHandlers>[0] &
  Parameters<typeof metricsHandlers>[0] &
  Parameters<typeof apiDocsHandlers>[0] &
  Parameters<typeof singleSignOnHandlers>[0];

/** The handlers of all public routes. */
export const publicHandlers = (deps: PublicDeps): PublicHandlers<typeof publicRoutes> => ({
  ...serviceHandlers(deps),
  ...visitorReportHandlers(deps),
  ...robotsHandlers(deps),
  ...healthHandlers(deps),
  ...metricsHandlers(deps),
  ...apiDocsHandlers(deps),
  ...singleSignOnHandlers(deps),
});
