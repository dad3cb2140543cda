import type { Queues } from './jobs.ts';
import type { Knex } from './postgres.ts';
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
  const imports = createImports({
    store: breakers.postgres.guard(createImportStore(db)),
    maxMegabytes: config.IMPORT_MAX_MB,
    ownHosts: [new URL(config.BASE_URL).hostname, ...config.OWN_HOSTS],
    allowsPrivate: config.ALLOW_PRIVATE_URLS,
    askForJob: (id) => {
      queues
        .add('import-urls', { id })
        .catch((error: unknown) => log.debug({ err: error, import: id }, 'could not ask for the job'));
    },
    log,
  });
  return { imports };
}
