import type { Knex } from '../../storage/postgres/postgres.ts';

/** The partition of a day of UTC, "2026-11-21". */
export const partitionOf = (day: string) => `url_analytics_${day.replaceAll('-', '')}`;

/** All partitions of the analytics' rows, in the order of their days; that of other days comes last. */
export async function listPartitions(db: Knex): Promise<string[]> {
  const { rows } = await db.raw<{ rows: { name: string }[] }>(
    `select relname as name from pg_inherits join pg_class on oid = inhrelid
     where inhparent = cast('url_analytics' as regclass) order by 1`,
  );
  return rows.map((row) => row.name);
}

/** The days that have a partition, the first one first. */
export async function listDays(db: Knex): Promise<string[]> {
  const names = await listPartitions(db);
  return names.flatMap((name) => {
    const [, year, month, day] = /_(\d{4})(\d\d)(\d\d)$/.exec(name) ?? [];
    return year === undefined ? [] : [`${year}-${month}-${day}`];
  });
}
