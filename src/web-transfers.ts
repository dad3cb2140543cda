import type { Queues } from './jobs.ts';
import type { Knex } from './postgres.ts';
import { createExportStore } from './transfers/export-store.ts';
import { createExports } from './transfers/exports.ts';
import { createImportStore } from './transfers/import-store.ts';
import { createImports } from './transfers/imports.ts';
import type { WebBreakers } from './web-breakers.ts';
import type { WebProcess } from './web-process.ts';

export type Transfers = ReturnType<typeof openTransfers>;

/** Imports and exports as a web process sees them. */
export function openTransfers(
  { config, log }: WebProcess,
  { db, breakers, queues }: { db: Knex; breakers: WebBreakers; queues: Queues },
) {
  const askFor = (job: 'import-urls' | 'export-urls') => (id: number) => {
    queues
      .add(job, { id })
      .catch((error: unknown) => log.debug({ err: error, job, id }, 'could not ask for a job'));
  };
  const common = {
    maxPerKey: config.MAX_TRANSFERS_PER_KEY,
    askForCleanup: () => queues.ask('cleanup-transfers'),
  };
  const imports = createImports({
    ...common,
    store: breakers.postgres.guard(createImportStore(db)),
    maxMegabytes: config.IMPORT_MAX_MB,
    ownHosts: [new URL(config.BASE_URL).hostname, ...config.OWN_HOSTS],
    allowsPrivate: config.ALLOW_PRIVATE_URLS,
    askForJob: askFor('import-urls'),
    log,
  });
  const exports = createExports({
    ...common,
    store: breakers.postgres.guard(createExportStore(db)),
    askForJob: askFor('export-urls'),
  });
  return { imports, exports };
}
