import {
  type ClickFeedStore,
  createClickFeedStore,
  type ClickEvent,
  restoredOffset,
  type Transactions,
} from '../../analytics/feed/feed-store.ts';
import { conditionOf, type Sql } from '../../analytics/rollups/scope.ts';
import type { Knex } from '../../storage/postgres/postgres.ts';
import type { Owner } from '../../urls/store/owner.ts';
import type { ExportedValue, ExportFilter, ExportSource } from './source.ts';

/** What an export says of a click, in the order of its columns: nothing of its visitor. */
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

/** Clicks that have a row, by the transactions that counted them, which are the ids of their rows, and then those that a dump has brought;
 *  those of deleted short URLs are left out. Those of one transaction are never apart, so that they may be more than were asked for. */
export function createClickSource(db: Knex): ExportSource {
  const store = createClickFeedStore(db);
  return {
    columns: Object.keys(readers),

    async findLastId() {
      // During an export none may move to where it comes again.
      for (let renumbered = 1; renumbered > 0;) renumbered = await store.renumberRestored();
      return Number(await store.findHorizon()) - 1;
    },

    async findRows({ after, upTo, owner, filter }) {
      const wanted = wantedBy(owner, filter);
      const place = BigInt(after) + 1n;
      const counted = { from: place, before: BigInt(upTo) + 1n };
      const restored = { from: place > restoredOffset ? place : restoredOffset, before: 2n * restoredOffset };
      let clicks = await findNext(store, counted, wanted);
      if (clicks.length === 0) clicks = await findNext(store, restored, wanted);
      return clicks.map((click) => ({
        id: Number(click.transaction),
        values: Object.fromEntries(Object.entries(readers).map(([name, read]) => [name, read(click)])),
      }));
    },
  };
}

/** The first page that has any. */
async function findNext(
  store: ClickFeedStore,
  { from, before }: Transactions,
  wanted: Sql,
): Promise<ClickEvent[]> {
  let found: { clicks: ClickEvent[]; next: bigint } = { clicks: [], next: from };
  while (found.clicks.length === 0 && found.next < before)
    found = await store.findEvents({ from: found.next, before }, wanted);
  return found.clicks;
}

function wantedBy(owner: Owner, { short_code: shortCode, tag, from, to }: ExportFilter): Sql {
  const urls = conditionOf({ owner, shortCode, tag });
  return {
    sql: `${urls.sql} and at >= coalesce(cast(:since as timestamptz), '-infinity')
          and at < coalesce(cast(:until as timestamptz), 'infinity')`,
    bindings: { ...urls.bindings, since: from ?? null, until: to ?? null },
  };
}
