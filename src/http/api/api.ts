import { analyticsHandlers, analyticsOperations } from './analytics.ts';
import { apiKeyHandlers, apiKeyOperations } from './api-keys.ts';
import { clickListHandlers, clickListOperations } from './click-lists.ts';
import { clickStreamHandlers, clickStreamOperations } from './click-stream.ts';
import { codeHandlers, codeOperations } from './codes.ts';
import { findHandlers, findOperations } from './find-urls.ts';
import { jobHandlers, jobOperations } from './jobs.ts';
import type { Handlers } from './operation.ts';
import { qrHandlers, qrOperations } from './qr.ts';
import { urlHandlers, urlOperations } from './urls.ts';

/** All that the REST API can be asked, each by its name. */
export const operations = {
  ...urlOperations,
  ...findOperations,
  ...analyticsOperations,
  ...clickListOperations,
  ...clickStreamOperations,
  ...qrOperations,
  ...codeOperations,
  ...jobOperations,
  ...apiKeyOperations,
};

type Deps = Parameters<typeof urlHandlers>[0] &
  Parameters<typeof findHandlers>[0] &
  Parameters<typeof analyticsHandlers>[0] &
  Parameters<typeof clickListHandlers>[0] &
  Parameters<typeof clickStreamHandlers>[0] &
  Parameters<typeof qrHandlers>[0] &
  Parameters<typeof codeHandlers>[0] &
  Parameters<typeof jobHandlers>[0] &
  Parameters<typeof apiKeyHandlers>[0];

/** What answers it. */
export const createHandlers = (deps: Deps): Handlers<typeof operations> => ({
  ...urlHandlers(deps),
  ...findHandlers(deps),
  ...analyticsHandlers(deps),
  ...clickListHandlers(deps),
  ...clickStreamHandlers(deps),
  ...qrHandlers(deps),
  ...codeHandlers(deps),
  ...jobHandlers(deps),
  ...apiKeyHandlers(deps),
});
