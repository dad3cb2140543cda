import type { Oracle } from './oracle.ts';
import { codes } from './plan.ts';
import type { StoreConnections } from './store-connections.ts';
import type { UrlTable } from './stores.ts';

/** The database table; reports its writes to the oracle. */
export function openTable(table: UrlTable, oracle: Oracle, connections: StoreConnections): UrlTable {
  return {
    findByCode: connections.to('PostgreSQL', 'find', table.findByCode),
    purgeDeleted: connections.to('PostgreSQL', 'purge', table.purgeDeleted),
    insertMany: connections.to('PostgreSQL', 'insert', async (urls) => {
      const ends = urls.map((url) => oracle.begin(url.shortCode, url.originalUrl));
      const inserted = await table.insertMany(urls);
      ends.forEach((end, i) => end(inserted[i]));
      return inserted;
    }),
    delete: connections.to('PostgreSQL', 'delete', async (code) => {
      const end = oracle.begin(code, 'not_found');
      const deleted = await table.delete(code, null);
      end(deleted);
      return deleted;
    }),
    change: connections.to('PostgreSQL', 'change', async (code, changes) => {
      const end = oracle.begin(code, changes.originalUrl!);
      const changed = await table.change(code, changes, null);
      end(changed);
      return changed;
    }),
    restore: connections.to('PostgreSQL', 'restore', async (code) => {
      const was = await table.findByCode(code);
      const end = oracle.begin(code, was && !was.hasEnded ? was.originalUrl : 'expired');
      const restored = await table.restore(code, null);
      end(restored);
      return restored;
    }),
    findDeleted: connections.to('PostgreSQL', 'find deleted', table.findDeleted),
    restoreAs: connections.to('PostgreSQL', 'take back', async (urls) => {
      const ends = urls.map((url) => oracle.begin(url.shortCode, url.originalUrl));
      const restored = await table.restoreAs(urls);
      ends.forEach((end, i) => end(restored[i]));
      return restored;
    }),
    purgeOne: connections.to('PostgreSQL', 'purge one', async (id, how) => {
      const ends = codes.map((code) => ({ code, end: oracle.begin(code, 'not_found') }));
      const purged = await table.purgeOne(id, how);
      for (const { code, end } of ends) end(purged?.find(({ shortCode }) => shortCode === code));
      return purged;
    }),
    disableExpired: connections.to('PostgreSQL', 'clean up', async (now, limit) => {
      const ends = codes.map((code) => oracle.begin(code, 'expired'));
      const expired = await table.disableExpired(now, limit);
      ends.forEach((end, i) => end(expired.find(({ shortCode }) => shortCode === codes[i])));
      return expired;
    }),
  };
}
