import { type Knex, onlyRow } from '../../../../src/storage/postgres/postgres.ts';
import type { Cut } from './cuts.ts';

/** How a cut of the analytics compares with what was sent. */
export interface CutVerdict {
  name: string;
  /** Keys that either has. */
  figures: number;
  expected: Sum;
  found: Sum;
  /** Keys for which they are not the same. */
  differing: number;
  /** The first of these. */
  examples: string[];
}

interface Sum {
  clicks: number;
  bots: number;
}

/** Compares what was sent with what the tables say, figure by figure. */
export async function judgeCut(db: Knex, { name, expected, found }: Cut): Promise<CutVerdict> {
  const sum = (column: string) => `cast(coalesce(sum(${column}), 0) as bigint)`;
  const sumsOf = (side: string) =>
    `json_build_object('clicks', ${sum(`${side}.clicks`)}, 'bots', ${sum(`${side}.bots`)})`;
  const differs = `(s.clicks, s.bots) is distinct from (f.clicks, f.bots)`;
  const result = await db.raw<{ rows: Omit<CutVerdict, 'name'>[] }>(
    `with s as materialized (${expected}), f as materialized (${found})
     select count(*) as figures, ${sumsOf('s')} as expected, ${sumsOf('f')} as found,
            count(*) filter (where ${differs}) as differing,
            coalesce((array_agg(format('%s: %s/%s, not %s/%s', key, f.clicks, f.bots, s.clicks, s.bots)
              order by key) filter (where ${differs}))[1:5], '{}') as examples
     from s full join f using (key)`,
  );
  return { name, ...onlyRow(result) };
}
