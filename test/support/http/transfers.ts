import { createKeyGenerator } from '../../../src/keys/key-generator.ts';
import type { Knex } from '../../../src/storage/postgres/postgres.ts';
import { createClickSource } from '../../../src/transfers/exports/click-source.ts';
import { createExports } from '../../../src/transfers/exports/exports.ts';
import { createExportStore } from '../../../src/transfers/exports/store.ts';
import { createUrlSource } from '../../../src/transfers/exports/url-source.ts';
import type { UploadedAs } from '../../../src/transfers/files/read-upload-text.ts';
import { createImports } from '../../../src/transfers/imports/imports.ts';
import { createImportStore } from '../../../src/transfers/imports/store.ts';
import { createImporter } from '../../../src/transfers/imports/write-rows.ts';
import type { Encoding } from '../../../src/transfers/transfer.ts';
import { createBlockedHosts } from '../../../src/urls/blocklist/blocklist.ts';
import { createBlockedHostStore } from '../../../src/urls/blocklist/store.ts';
import { silentLog } from '../resources.ts';

/** A file without declared properties. */
const unknown: UploadedAs = { kind: undefined, format: 'auto', mapping: null, charset: undefined };

/** Imports and exports of a database, without processes. */
export function createTransfers(db: Knex, maxPerKey = 1_000) {
  const importStore = createImportStore(db);
  const exportStore = createExportStore(db);
  const common = { maxPerKey, requestJob: () => undefined, requestCleanup: () => undefined };
  const imports = createImports({
    ...common,
    isBlocked: () => false,
    store: importStore,
    maxMegabytes: 100,
    urlRules: { ownHosts: ['own.example'], allowsPrivate: false, maxUrlLength: 4_096, schemes: ['mailto'] },
    log: silentLog,
  });
  return {
    importStore,
    exportStore,
    blockedHosts: createBlockedHosts({ store: createBlockedHostStore(db) }),
    importer: createImporter({ generator: createKeyGenerator(db) }),
    // Without processes there is no cache.
    refreshCache: async () => 0,
    exportSources: { urls: createUrlSource(db), clicks: createClickSource(db) },
    imports,
    exports: createExports({ ...common, store: exportStore }),

    /** Uploads a file; resolves to its import's id. */
    async upload(apiKeyId: number, content: string | Buffer, as: Encoding | Partial<UploadedAs> = {}) {
      const wanted = typeof as === 'string' ? { kind: as } : as;
      async function* source() {
        yield Buffer.from(content);
      }
      return (await imports.upload(source(), { ...unknown, ...wanted, apiKeyId })).id;
    },
  };
}
