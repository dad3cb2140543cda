import { createUserAgents } from '../../clicks/enrichment/agents/user-agents.ts';
import { createPages } from '../../http/pages/pages.ts';
import { createRedirectResponses } from '../../http/redirect/response.ts';
import { createQrImages } from '../../qr/qr-images.ts';
import { createReportStore } from '../../reports/report-store.ts';
import { createReports } from '../../reports/reports.ts';
import { createPasswordHashing } from '../../urls/access/password.ts';
import { createUrlLists } from '../../urls/search/list.ts';
import { createUrlSummaries } from '../../urls/search/summaries.ts';
import type { WebContext } from '../stores/context.ts';
import type { Stores } from '../stores/stores.ts';
import { openAccessRules } from './access-rules.ts';
import { openAnalytics } from './analytics.ts';
import { openApiKeys } from './api-keys.ts';
import { openEnrichment } from './click-enrichment.ts';
import { openClicks } from './clicks.ts';
import { openRateLimits } from './rate-limits.ts';
import { openSearch } from './search.ts';
import { openSessions } from './sessions.ts';
import { openSingleSignOn } from './single-sign-on.ts';
import { openTransfers } from './transfers.ts';
import { openUrls } from './urls.ts';

/** Passwords that are hashed at once, and that wait. Each hash occupies one of the threads that password checks, DNS look-ups and
 *  QR images share. */
const hashing = { concurrency: 1, queueSize: 20 };

export type Modules = Awaited<ReturnType<typeof openModules>>;

/** The modules of the domain, wired to the stores of a web process. */
export async function openModules(web: WebContext, stores: Stores) {
  const { config, closing } = web;
  const clicks = openClicks(web, stores.cacheRedis);
  const userAgents = createUserAgents();
  const enrichClick = await openEnrichment(web, { db: clicks.db, userAgents });
  const passwordHashing = createPasswordHashing(hashing);
  const search = openSearch(web, stores);
  const urlModule = openUrls(web, {
    ...stores,
    search,
    hashPassword: passwordHashing.hashPassword,
    onNotFound: clicks.unknownCodes.add,
  });
  const { urls, hostBlocking } = urlModule;
  const rateLimits = openRateLimits(web, stores);
  const responses = createRedirectResponses({
    status: config.REDIRECT_STATUS,
    maxAgeSeconds: config.REDIRECT_MAX_AGE_SECONDS,
  });
  const { isThrottled } = rateLimits;
  const pages = createPages({
    name: config.SITE_NAME,
    baseUrl: config.BASE_URL,
    homeUrl: config.HOME_URL,
    contactUrl: config.CONTACT_URL,
  });
  const apiKeyModule = openApiKeys(web, stores);
  const sessions = openSessions(web, { ...stores, ...apiKeyModule });
  const reportStore = stores.breakers.postgres.guard(createReportStore(stores.db));
  return {
    ...urlModule,
    clicks,
    enrichClick,
    passwordHashing,
    rateLimits,
    responses,
    pages,
    ...openAccessRules(config, { ...stores, urls, enrichClick, responses, pages, isThrottled, userAgents }),
    ...apiKeyModule,
    sessions,
    singleSignOn: openSingleSignOn(web, { ...stores, sessions }),
    analytics: openAnalytics(web, stores),
    urlSearch: { ...createUrlLists(search), ...createUrlSummaries(search) },
    transfers: openTransfers(web, { ...stores, ...urlModule }),
    reports: createReports({ store: reportStore, urls, hostBlocking }),
    qrImages: closing.defer('qr images', createQrImages(), (images) => images.close()),
  };
}
