import type { CustomCodeRules } from '../../urls/input/custom-code.ts';
import { analyticsHandlers, analyticsOperations } from './analytics/analytics.ts';
import { clickEventHandlers, clickEventOperations } from './analytics/click-events.ts';
import { clickListHandlers, clickListOperations } from './analytics/click-lists.ts';
import { apiKeyHandlers, apiKeyOperations } from './api-keys.ts';
import { blockedHostHandlers, blockedHostOperations } from './blocked-hosts.ts';
import { exportHandlers, exportOperations } from './exports.ts';
import { importHandlers, importOperations } from './imports.ts';
import type { Handlers } from './operation.ts';
import { jobHandlers, jobOperations } from './operations/jobs.ts';
import { queueHandlers, queueOperations } from './operations/queues.ts';
import { stateHandlers, stateOperations } from './operations/state.ts';
import { reportHandlers, reportOperations } from './reports.ts';
import { serviceInfoHandlers, serviceInfoOperations } from './service/service-info.ts';
import { sessionHandlers, sessionOperations } from './sessions.ts';
import { bulkHandlers, bulkOperations } from './urls/bulk.ts';
import { codeHandlers, codeOperations } from './urls/codes.ts';
import { findHandlers, findOperations } from './urls/find-urls.ts';
import { qrHandlers, qrOperations } from './urls/qr.ts';
import { createUrlInput, createUrlPatch } from './urls/schemas.ts';
import { summaryHandlers, summaryOperations } from './urls/summaries.ts';
import { tagHandlers, tagOperations } from './urls/tags.ts';
import { urlHandlers, urlOperations } from './urls/urls.ts';

/** Every operation of the REST API, by its ID. */
export const operations = {
  ...urlOperations,
  ...bulkOperations,
  ...findOperations,
  ...summaryOperations,
  ...tagOperations,
  ...analyticsOperations,
  ...clickListOperations,
  ...clickEventOperations,
  ...qrOperations,
  ...codeOperations,
  ...serviceInfoOperations,
  ...jobOperations,
  ...queueOperations,
  ...stateOperations,
  ...apiKeyOperations,
  ...sessionOperations,
  ...blockedHostOperations,
  ...reportOperations,
  ...importOperations,
  ...exportOperations,
};

/** The operations under the operator's rules for custom codes. */
export const operationsFor = (rules: CustomCodeRules): typeof operations => ({
  ...operations,
  createUrl: { ...operations.createUrl, body: createUrlInput(rules) },
  updateUrl: { ...operations.updateUrl, body: createUrlPatch(rules) },
});

/** The dependencies of all handlers. */
export type ApiDeps = Parameters<typeof urlHandlers>[0] &
  Parameters<typeof bulkHandlers>[0] &
  Parameters<typeof findHandlers>[0] &
  Parameters<typeof summaryHandlers>[0] &
  Parameters<typeof tagHandlers>[0] &
  Parameters<typeof analyticsHandlers>[0] &
  Parameters<typeof clickListHandlers>[0] &
  Parameters<typeof clickEventHandlers>[0] &
  Parameters<typeof qrHandlers>[0] &
  Parameters<typeof codeHandlers>[0] &
  Parameters<typeof serviceInfoHandlers>[0] &
  Parameters<typeof jobHandlers>[0] &
  Parameters<typeof queueHandlers>[0] &
  Parameters<typeof stateHandlers>[0] &
  Parameters<typeof apiKeyHandlers>[0] &
  Parameters<typeof sessionHandlers>[0] &
  Parameters<typeof blockedHostHandlers>[0] &
  Parameters<typeof reportHandlers>[0] &
  Parameters<typeof importHandlers>[0] &
  Parameters<typeof exportHandlers>[0];

/** The handlers of all operations. */
export const createHandlers = (deps: ApiDeps): Handlers<typeof operations> => ({
  ...urlHandlers(deps),
  ...bulkHandlers(deps),
  ...findHandlers(deps),
  ...summaryHandlers(deps),
  ...tagHandlers(deps),
  ...analyticsHandlers(deps),
  ...clickListHandlers(deps),
  ...clickEventHandlers(deps),
  ...qrHandlers(deps),
  ...codeHandlers(deps),
  ...serviceInfoHandlers(deps),
  ...jobHandlers(deps),
  ...queueHandlers(deps),
  ...stateHandlers(deps),
  ...apiKeyHandlers(deps),
  ...sessionHandlers(deps),
  ...blockedHostHandlers(deps),
  ...reportHandlers(deps),
  ...importHandlers(deps),
  ...exportHandlers(deps),
});
