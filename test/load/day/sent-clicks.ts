import type { Knex } from '../../../src/storage/postgres/postgres.ts';
import type { Click } from './clicks.ts';
import type { Visitor } from './visitors.ts';

/** An answered click with its time. */
export interface SentClick extends Click {
  atMs: number;
}

const sliceSize = 20_000;

/** Writes the clicks sent, and their expected analytics, to the table `sent`. */
export async function writeSent(db: Knex, visitors: Visitor[], clicks: SentClick[]): Promise<void> {
  await db.raw(`
    create table sent_visitor (visitor integer primary key, address text, agent text, country text, browser text, os text,
                              device text, is_bot boolean, is_private boolean);
    create table sent_click (short_code text collate "C", at timestamptz, visitor integer, referrer text)`);
  await db.raw(
    `insert into sent_visitor
     select visitor - 1, address, agent, country, browser, os, device, is_bot, is_private
     from unnest(cast(? as text[]), cast(? as text[]), cast(? as text[]), cast(? as text[]), cast(? as text[]),
                 cast(? as text[]), cast(? as boolean[]), cast(? as boolean[]))
       with ordinality as given (address, agent, country, browser, os, device, is_bot, is_private, visitor)`,
    [
      ...(['address', 'header', 'country', 'browser', 'os', 'device'] as const).map((name) =>
        visitors.map((visitor) => visitor[name]),
      ),
      ...(['isBot', 'isPrivate'] as const).map((name) => visitors.map((visitor) => visitor[name])),
    ],
  );
  const numbers = new Map(visitors.map((visitor, n) => [visitor, n]));
  for (let i = 0; i < clicks.length; i += sliceSize) {
    const slice = clicks.slice(i, i + sliceSize);
    await db.raw(
      `insert into sent_click
       select short_code, to_timestamp(at_ms / 1000.0), visitor, referrer
       from unnest(cast(? as text[]), cast(? as bigint[]), cast(? as integer[]), cast(? as text[]))
         as given (short_code, at_ms, visitor, referrer)`,
      [
        slice.map(({ shortCode }) => shortCode),
        slice.map(({ atMs }) => Math.floor(atMs)),
        slice.map(({ visitor }) => numbers.get(visitor)!),
        slice.map(({ referrer }) => referrer.host),
      ],
    );
  }
  await db.raw(`
    create table sent as
    select id as url_id, at, date_bin('15 minutes', at, 'epoch') as quarter, cast(at at time zone 'UTC' as date) as day, referrer,
           sent_visitor.*
    from sent_click join urls using (short_code) join sent_visitor using (visitor);
    analyze sent`);
}
