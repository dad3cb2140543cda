import type { UserAgents } from '../../clicks/enrichment/agents/user-agents.ts';
import { createEnricher, type EnrichClick } from '../../clicks/enrichment/enrich.ts';
import { openCountryFile } from '../../clicks/enrichment/geoip/country-file.ts';
import { createReferrers } from '../../clicks/enrichment/referrers.ts';
import { createVisitorIds } from '../../clicks/enrichment/visitor-ids.ts';
import { createVisitorSaltStore } from '../../clicks/enrichment/visitor-salt-store.ts';
import { createVisitorSalts } from '../../clicks/enrichment/visitor-salts.ts';
import { ownHostNamesOf } from '../../config/own-hosts.ts';
import { createReadClientAddress } from '../../http/server/client-address.ts';
import { withDeadline } from '../../resilience/shutdown.ts';
import type { Knex } from '../../storage/postgres/postgres.ts';
import type { WebContext } from '../stores/context.ts';

/** How long the start waits for today's salt. */
const saltPatienceMs = 1_000;

/** The enrichment of clicks (country, referrer, user agent, visitor ID), as far as `CLICK_DETAIL` allows. */
export async function openEnrichment(
  web: WebContext,
  { db, userAgents }: { db: Knex; userAgents: UserAgents },
): Promise<EnrichClick> {
  const { config, log, closing } = web;
  if (config.CLICK_DETAIL === 'count') return () => undefined;
  const { GEOIP_DATABASE_PATH: file } = config;
  const countryFile =
    file === undefined
      ? undefined
      : closing.defer('file of countries', await openCountryFile(file, log), (opened) => opened.close());
  return createEnricher({
    userAgents,
    referrers: createReferrers(ownHostNamesOf(config)),
    countryHeader: config.COUNTRY_HEADER,
    countryFile,
    visitorIds: config.CLICK_DETAIL === 'full' ? await openVisitorIds(web, db) : undefined,
    respectsDoNotTrack: config.RESPECT_DO_NOT_TRACK,
    readAddress: createReadClientAddress(config.TRUSTED_PROXY_HOPS),
  });
}

async function openVisitorIds({ log, closing }: WebContext, db: Knex) {
  const salts = closing.defer(
    'salts of visitor ids',
    createVisitorSalts({ store: createVisitorSaltStore(db), log }),
    (opened) => opened.stop(),
  );
  await withDeadline(salts.refresh(), saltPatienceMs, () => undefined);
  return createVisitorIds(salts);
}
