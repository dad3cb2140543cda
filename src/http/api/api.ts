import type { CustomCodeRules } from '../../urls/input/custom-code.ts';
import { analyticsHandlers, analyticsOperations } from './analytics.ts';
import { apiKeyHandlers, apiKeyOperations } from './api-keys.ts';
import { blockedHostHandlers, blockedHostOperations } from './blocked-hosts.ts';
import { bulkHandlers, bulkOperations } from './bulk.ts';
import { clickEventHandlers, clickEventOperations } from './click-events.ts';
import { clickListHandlers, clickListOperations } from './click-lists.ts';
import { codeHandlers, codeOperations } from './codes.ts';
import { exportHandlers, exportOperations } from './exports.ts';
import { findHandlers, findOperations } from './find-urls.ts';
import { importHandlers, importOperations } from './imports.ts';
import { jobHandlers, jobOperations } from './jobs.ts';
import type { Handlers } from './operation.ts';
import { qrHandlers, qrOperations } from './qr.ts';
import { reportHandlers, reportOperations } from './reports.ts';
import { createUrlInput, createUrlPatch } from './url-schemas.ts';
import { urlHandlers, urlOperations } from './urls.ts';

/** Every operation of the REST API, by its ID. */
export const operations = {
  ...urlOperations,
  ...bulkOperations,
  ...findOperations,
  ...analyticsOperations,
  ...clickListOperations,
  ...clickEventOperations,
  ...qrOperations,
  ...codeOperations,
  ...jobOperations,
  ...apiKeyOperations,
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
  Parameters<typeof analyticsHandlers>[0] &
  Parameters<typeof clickListHandlers>[0] &
  Parameters<typeof clickEventHandlers>[0] &
  Parameters<typeof qrHandlers>[0] &
  Parameters<typeof codeHandlers>[0] &
  Parameters<typeof jobHandlers>[0] &
  Parameters<typeof apiKeyHandlers>[0] &
  Parameters<typeof blockedHostHandlers>[0] &
  Parameters<typeof reportHandlers>[0] &
  Parameters<typeof importHandlers>[0] &
  Parameters<typeof exportHandlers>[0];

/** The handlers of all operations. */
export const createHandlers = (deps: ApiDeps): Handlers<typeof operations> => ({
  ...urlHandlers(deps),
  ...bulkHandlers(deps),
  ...findHandlers(deps),
  ...analyticsHandlers(deps),
  ...clickListHandlers(deps),
  ...clickEventHandlers(deps),
  ...qrHandlers(deps),
  ...codeHandlers(deps),
  ...jobHandlers(deps),
  ...apiKeyHandlers(deps),
  ...blockedHostHandlers(deps),
  ...reportHandlers(deps),
  ...importHandlers(deps),
  ...exportHandlers(deps),
});
