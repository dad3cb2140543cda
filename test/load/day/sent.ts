import type { Knex } from '../../../src/storage/postgres/postgres.ts';
import type { Click } from './clicks.ts';
import type { Person } from './people.ts';

/** An answered click with its time. */
export interface SentClick extends Click {
  atMs: number;
}

const sliceSize = 20_000;

/** Writes the clicks sent, and their expected analytics, to the table `sent`. */
export async function writeSent(db: Knex, persons: Person[], clicks: SentClick[]): Promise<void> {
  await db.raw(`
    create table sent_person (person integer primary key, address text, agent text, country text, browser text, os text,
                              device text, is_bot boolean, is_private boolean);
    create table sent_click (short_code text collate "C", at timestamptz, person integer, referrer text)`);
  await db.raw(
    `insert into sent_person
     select person - 1, address, agent, country, browser, os, device, is_bot, is_private
     from unnest(cast(? as text[]), cast(? as text[]), cast(? as text[]), cast(? as text[]), cast(? as text[]),
                 cast(? as text[]), cast(? as boolean[]), cast(? as boolean[]))
       with ordinality as given (address, agent, country, browser, os, device, is_bot, is_private, person)`,
    [
      ...(['address', 'header', 'country', 'browser', 'os', 'device'] as const).map((name) =>
        persons.map((person) => person[name]),
      ),
      ...(['isBot', 'isPrivate'] as const).map((name) => persons.map((person) => person[name])),
    ],
  );
  const numbers = new Map(persons.map((person, n) => [person, n]));
  for (let i = 0; i < clicks.length; i += sliceSize) {
    const slice = clicks.slice(i, i + sliceSize);
    await db.raw(
      `insert into sent_click
       select short_code, to_timestamp(at_ms / 1000.0), person, referrer
       from unnest(cast(? as text[]), cast(? as bigint[]), cast(? as integer[]), cast(? as text[]))
         as given (short_code, at_ms, person, referrer)`,
      [
        slice.map(({ shortCode }) => shortCode),
        slice.map(({ atMs }) => Math.floor(atMs)),
        slice.map(({ person }) => numbers.get(person)!),
        slice.map(({ referrer }) => referrer.host),
      ],
    );
  }
  await db.raw(`
    create table sent as
    select id as url_id, at, date_bin('15 minutes', at, 'epoch') as quarter, cast(at at time zone 'UTC' as date) as day, referrer,
           sent_person.*
    from sent_click join urls using (short_code) join sent_person using (person);
    analyze sent`);
}
