import {
  type ClickFeedStore,
  createClickFeedStore,
  type ClickEvent,
  restoredOffset,
  type Transactions,
} from '../../analytics/feed/feed-store.ts';
import { conditionOf, type Sql } from '../../analytics/rollups/scope.ts';
import type { Knex } from '../../storage/postgres/postgres.ts';
import { type ReadPool, readFrom, readOnce } from '../../storage/reads/read-pool.ts';
import type { Owner } from '../../urls/store/owner.ts';
import type { ExportedValue, ExportFilter, ExportSource } from './source.ts';

/** The columns of a click in an export, in their order; visitor IDs are not exported. */
const readers = {
  short_code: (click) => click.shortCode,
  at: (click) => click.at,
  clicks: (click) => click.clicks,
  is_bot: (click) => click.isBot,
  bot_kind: (click) => click.botKind,
  country: (click) => click.country,
  referrer: (click) => click.referrer,
  browser: (click) => click.browser,
  os: (click) => click.os,
  device: (click) => click.device,
} satisfies Record<string, (click: ClickEvent) => ExportedValue>;

/** Click events ordered by the transactions that counted them, whose numbers are the row ids, then the events that a dump restored, without
 *  those of deleted short URLs; rows are read from `pool`. Events of one transaction stay together, so that a page may exceed its limit. */
export function createClickSource(db: Knex, pool: ReadPool = readFrom(db)): ExportSource {
  const store = createClickFeedStore(db);
  return {
    columns: Object.keys(readers),

    async findLastId() {
      // Otherwise an event could be renumbered during the export and be exported twice.
      for (let renumbered = 1; renumbered > 0;) renumbered = await store.renumberRestored();
      return Number(await store.findHorizon()) - 1;
    },

    async findRows({ after, upTo, owner, filter }) {
      const condition = conditionFor(owner, filter);
      const first = BigInt(after) + 1n;
      const counted = { from: first, before: BigInt(upTo) + 1n };
      const restored = { from: first > restoredOffset ? first : restoredOffset, before: 2n * restoredOffset };
      const clicks = await readOnce(pool, async (trx) => {
        const reading = createClickFeedStore(trx);
        const found = await findNext(reading, counted, condition);
        return found.length > 0 ? found : await findNext(reading, restored, condition);
      });
      return clicks.map((click) => ({
        id: Number(click.transaction),
        values: Object.fromEntries(Object.entries(readers).map(([name, read]) => [name, read(click)])),
      }));
    },
  };
}

/** The first page that is not empty. */
async function findNext(
  store: ClickFeedStore,
  { from, before }: Transactions,
  condition: Sql,
): Promise<ClickEvent[]> {
  let found: { clicks: ClickEvent[]; next: bigint } = { clicks: [], next: from };
  while (found.clicks.length === 0 && found.next < before)
    found = await store.findEvents({ from: found.next, before }, condition);
  return found.clicks;
}

function conditionFor(owner: Owner, { short_code: shortCode, tag, from, to }: ExportFilter): Sql {
  const urls = conditionOf({ owner, shortCode, tag });
  return {
    sql: `${urls.sql} and at >= coalesce(cast(:since as timestamptz), '-infinity')
          and at < coalesce(cast(:until as timestamptz), 'infinity')`,
    bindings: { ...urls.bindings, since: from ?? null, until: to ?? null },
  };
}
