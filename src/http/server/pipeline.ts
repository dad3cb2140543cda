import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { WebConfig } from '../../config/web.ts';
import type { Log } from '../../log.ts';
import { basePathOf, removeBasePath } from '../base-path.ts';
import { logAccess } from './access-log.ts';
import type { LoadShedding } from './load-shedding.ts';
import type { RedirectDurations } from './redirect-duration.ts';
import { acceptAbsoluteForm } from './request-target.ts';

type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/** The redirect as a raw listener, ahead of Koa. */
export interface RawRedirect {
  /** Answers a plain visit from the memory cache; returns whether it did. */
  tryMemory: (request: IncomingMessage, response: ServerResponse) => boolean;
  /** Answers a plain visit from any tier, and passes every other request to Koa. */
  handle: (request: IncomingMessage, response: ServerResponse, koa: Handler) => Promise<void>;
}

/** All raw listeners of a web process, outermost first. `listen` puts the connection limits and the order of pipelined requests ahead
 *  of them. Answers from the memory cache come before load shedding: they cost no more than a rejection. */
export function createPipeline(deps: {
  config: Pick<WebConfig, 'BASE_URL' | 'ACCESS_LOG' | 'ACCESS_LOG_SAMPLE'>;
  redirect: RawRedirect;
  loadShedding: Pick<LoadShedding, 'shed'>;
  durations: Pick<RedirectDurations, 'measure'>;
  koa: Handler;
  log: Log;
}): RequestListener {
  const { config, redirect, loadShedding, durations, koa, log } = deps;
  const layers: ((next: RequestListener) => RequestListener)[] = [
    acceptAbsoluteForm,
    (next) => removeBasePath(basePathOf(config.BASE_URL), next),
    (next) => logAccess(next, { config, log }),
    durations.measure,
    (next) => (request, response) => {
      if (!redirect.tryMemory(request, response)) next(request, response);
    },
  ];
  const redirectOrKoa = loadShedding.shed((request, response) => redirect.handle(request, response, koa));
  return layers.reduceRight((next, layer) => layer(next), redirectOrKoa);
}
