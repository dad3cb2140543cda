import { createBatchWriter } from '../../resilience/batch-writer.ts';
import { isPostgresUnavailable } from '../../storage/postgres/postgres.ts';
import { UnreadableValue } from '../../storage/postgres/values.ts';
import type { UrlStore } from './url-store.ts';

/** Concurrent statements, and short codes per statement. Throttled clients can occupy two of the statements, which
 *  leaves two for all others. */
const concurrency = 4;
const maxBatch = 200;

/** Loads short URLs from the database; waiting look-ups share a statement. While the Redis cache is empty, for
 *  instance after a restore, thousands of look-ups per second need few statements and connections. */
export function createRowLoader({ findByCodes }: Pick<UrlStore, 'findByCodes'>): UrlStore['findByCode'] {
  return createBatchWriter({
    run: async (shortCodes: string[]) => {
      const urls = new Map((await findByCodes(shortCodes)).map((url) => [url.shortCode, url]));
      return shortCodes.map((shortCode) => urls.get(shortCode));
    },
    // A row that cannot be read fails alone.
    isForAll: (error) => isPostgresUnavailable(error) && !(error instanceof UnreadableValue),
    limit: maxBatch,
    concurrency,
  });
}
