import { analyticsHandlers, analyticsOperations } from './analytics.ts';
import { apiKeyHandlers, apiKeyOperations } from './api-keys.ts';
import { bulkHandlers, bulkOperations } from './bulk.ts';
import { clickListHandlers, clickListOperations } from './click-lists.ts';
import { clickStreamHandlers, clickStreamOperations } from './click-stream.ts';
import { codeHandlers, codeOperations } from './codes.ts';
import { exportHandlers, exportOperations } from './exports.ts';
import { findHandlers, findOperations } from './find-urls.ts';
import { importHandlers, importOperations } from './imports.ts';
import { jobHandlers, jobOperations } from './jobs.ts';
import type { Handlers } from './operation.ts';
import { qrHandlers, qrOperations } from './qr.ts';
import { urlHandlers, urlOperations } from './urls.ts';

/** All that the REST API can be asked, each by its name. */
export const operations = {
  ...urlOperations,
  ...bulkOperations,
  ...findOperations,
  ...analyticsOperations,
  ...clickListOperations,
  ...clickStreamOperations,
  ...qrOperations,
  ...codeOperations,
  ...jobOperations,
  ...apiKeyOperations,
  ...importOperations,
  ...exportOperations,
};

type Deps = Parameters<typeof urlHandlers>[0] &
  Parameters<typeof bulkHandlers>[0] &
  Parameters<typeof findHandlers>[0] &
  Parameters<typeof analyticsHandlers>[0] &
  Parameters<typeof clickListHandlers>[0] &
  Parameters<typeof clickStreamHandlers>[0] &
  Parameters<typeof qrHandlers>[0] &
  Parameters<typeof codeHandlers>[0] &
  Parameters<typeof jobHandlers>[0] &
  Parameters<typeof apiKeyHandlers>[0] &
  Parameters<typeof importHandlers>[0] &
  Parameters<typeof exportHandlers>[0];

/** What answers it. */
export const createHandlers = (deps: Deps): Handlers<typeof operations> => ({
  ...urlHandlers(deps),
  ...bulkHandlers(deps),
  ...findHandlers(deps),
  ...analyticsHandlers(deps),
  ...clickListHandlers(deps),
  ...clickStreamHandlers(deps),
  ...qrHandlers(deps),
  ...codeHandlers(deps),
  ...jobHandlers(deps),
  ...apiKeyHandlers(deps),
  ...importHandlers(deps),
  ...exportHandlers(deps),
});
