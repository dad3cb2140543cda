import { ownHostsOf } from '../../config/own-hosts.ts';
import type { Queues } from '../../queues/queues.ts';
import type { Knex } from '../../storage/postgres/postgres.ts';
import { createExports } from '../../transfers/exports/exports.ts';
import { createExportStore } from '../../transfers/exports/store.ts';
import { createImports } from '../../transfers/imports/imports.ts';
import { createImportStore } from '../../transfers/imports/store.ts';
import type { BlockedHosts } from '../../urls/blocklist/blocklist.ts';
import type { CircuitBreakers } from '../stores/circuit-breakers.ts';
import type { WebContext } from '../stores/context.ts';

/** Imports and exports: their records; the jobs run in the workers. */
export function openTransfers(
  { config, log }: WebContext,
  {
    db,
    breakers,
    queues,
    blockedHosts,
  }: {
    db: Knex;
    breakers: CircuitBreakers;
    queues: Queues;
    blockedHosts: Pick<BlockedHosts, 'isBlocked'>;
  },
) {
  const common = {
    maxPerKey: config.MAX_IMPORTS_AND_EXPORTS_PER_API_KEY,
    requestCleanup: () => queues.request('cleanup-transfers', {}),
  };
  const imports = createImports({
    ...common,
    store: breakers.postgres.guard(createImportStore(db)),
    maxMegabytes: config.IMPORT_MAX_FILE_MB,
    urlRules: {
      ownHosts: ownHostsOf(config),
      allowsPrivate: config.ALLOW_PRIVATE_URLS,
      maxUrlLength: config.MAX_URL_LENGTH,
      schemes: config.ALLOWED_SCHEMES,
    },
    isBlocked: blockedHosts.isBlocked,
    requestJob: (id) => queues.request('import-urls', { id }, String(id)),
    log,
  });
  const exports = createExports({
    ...common,
    store: breakers.postgres.guard(createExportStore(db)),
    requestJob: (id) => queues.request('export-urls', { id }, String(id)),
  });
  return { imports, exports };
}
