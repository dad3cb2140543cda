import { type Knex, onlyRow } from '../../../../src/storage/postgres/postgres.ts';
import type { Breakdown } from './breakdowns.ts';

/** Result of comparing a breakdown with the clicks sent. */
export interface BreakdownResult {
  name: string;
  /** Number of keys on either side. */
  metrics: number;
  expected: Sum;
  found: Sum;
  /** Number of keys that differ. */
  differing: number;
  /** The first differences. */
  examples: string[];
}

interface Sum {
  clicks: number;
  bots: number;
}

/** Compares a breakdown of the tables with the clicks sent, key by key. */
export async function compareBreakdown(
  db: Knex,
  { name, expected, found }: Breakdown,
): Promise<BreakdownResult> {
  const sum = (column: string) => `cast(coalesce(sum(${column}), 0) as bigint)`;
  const sumsOf = (side: string) =>
    `json_build_object('clicks', ${sum(`${side}.clicks`)}, 'bots', ${sum(`${side}.bots`)})`;
  const differs = `(s.clicks, s.bots) is distinct from (f.clicks, f.bots)`;
  const result = await db.raw<{ rows: Omit<BreakdownResult, 'name'>[] }>(
    `with s as materialized (${expected}), f as materialized (${found})
     select count(*) as metrics, ${sumsOf('s')} as expected, ${sumsOf('f')} as found,
            count(*) filter (where ${differs}) as differing,
            coalesce((array_agg(format('%s: %s/%s, not %s/%s', key, f.clicks, f.bots, s.clicks, s.bots)
              order by key) filter (where ${differs}))[1:5], '{}') as examples
     from s full join f using (key)`,
  );
  return { name, ...onlyRow(result) };
}
