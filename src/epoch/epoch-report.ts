import { type Knex, onlyRow } from '../storage/postgres/postgres.ts';

/** Effects of restores, copies and promotions. */
export interface EpochReport {
  /** Epochs of the database, without the first one. */
  epochs: { number: number; beganAt: Date; reason: string }[];
  /** Batches and clicks that became dead letters because their short URL IDs may identify other short URLs now. */
  deadLetters: { reason: string; batches: number; clicks: number }[];
}

/** Reads the epochs for `npm run reconcile`. */
export async function readEpochReport(db: Knex): Promise<EpochReport> {
  return onlyRow(
    await db.raw<{ rows: EpochReport[] }>(
      `select
         (select coalesce(json_agg(json_build_object('number', number, 'beganAt', began_at, 'reason', reason) order by number), '[]')
          from database_epochs where number > 1) as epochs,
         (select coalesce(json_agg(json_build_object('reason', reason, 'batches', batches, 'clicks', clicks)), '[]')
          from (
            select reason, count(*) as batches,
                   sum((select sum(cast(click ->> 'count' as bigint))
                        from json_array_elements(cast(payload as json) -> 'clicks') as click)) as clicks
            from click_dead_letters where reason like '%another database epoch' group by reason order by reason
          ) as dead) as "deadLetters"`,
    ),
  );
}

/** Formats the report as lines. `missing` is the number of accepted clicks that are not counted. */
export function describeEpochs({ epochs, deadLetters }: EpochReport, missing: number): string[] {
  const lines = epochs.map(
    ({ number, beganAt, reason }) =>
      `  epoch ${number} began at ${new Date(beganAt).toISOString()}: ${reason}`,
  );
  if (epochs.length > 0 && missing > 0)
    lines.push(
      `  ${missing} clicks are missing: they were accepted, and counted in an epoch that this database does not include`,
    );
  for (const { reason, batches, clicks } of deadLetters) {
    const description = reason.startsWith('short URL')
      ? 'on short URLs that this database does not have'
      : 'of an epoch that is not an ancestor of this database';
    lines.push(`  ${clicks} clicks in ${batches} batches ${description}, in the table click_dead_letters`);
  }
  return lines;
}
