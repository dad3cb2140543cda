import { createBatchWriter } from '../../resilience/batch-writer.ts';
import { isPostgresUnavailable } from '../../storage/postgres/postgres.ts';
import { UnreadableValue } from '../../storage/postgres/values.ts';
import type { UrlStore } from './url-store.ts';

/** Statements in progress at once, and short codes in each, at most. Look-ups of throttled clients take up to two of these statements,
 *  so that two are left for everybody else. */
const concurrency = 4;
const maxTogether = 200;

/** Loads short URLs from the database, one per call; look-ups that wait share a statement. While the Redis cache is void, as after
 *  a restore, thousands of look-ups per second need few statements and connections. */
export function createRowLoader({ findByCodes }: Pick<UrlStore, 'findByCodes'>): UrlStore['findByCode'] {
  return createBatchWriter({
    run: async (shortCodes: string[]) => {
      const urls = new Map((await findByCodes(shortCodes)).map((url) => [url.shortCode, url]));
      return shortCodes.map((shortCode) => urls.get(shortCode));
    },
    // A row that cannot be read fails alone.
    isForAll: (error) => isPostgresUnavailable(error) && !(error instanceof UnreadableValue),
    limit: maxTogether,
    concurrency,
  });
}
