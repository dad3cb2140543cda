import { type Knex, onlyRow } from '../storage/postgres/postgres.ts';

/** What a restore, a copy or a promotion has left to know. */
export interface EpochReport {
  /** The epochs of the database but the first. */
  epochs: { number: number; beganAt: Date; reason: string }[];
  /** Batches and clicks that became dead letters, because their ids may name other short URLs by now. */
  deadLetters: { reason: string; batches: number; clicks: number }[];
}

/** Reads what `npm run reconcile` says about epochs. */
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
            from click_quarantine where reason like '%another database epoch' group by reason order by reason
          ) as dead) as "deadLetters"`,
    ),
  );
}

/** The report in lines. `missing` are clicks that were accepted and are not counted. */
export function describeEpochs({ epochs, deadLetters }: EpochReport, missing: number): string[] {
  const lines = epochs.map(
    ({ number, beganAt, reason }) =>
      `  epoch ${number} began at ${new Date(beganAt).toISOString()}: ${reason}`,
  );
  if (epochs.length > 0 && missing > 0)
    lines.push(
      `  ${missing} clicks are missing: accepted, and counted in an earlier epoch that this database does not have`,
    );
  for (const { reason, batches, clicks } of deadLetters) {
    const what = reason.startsWith('short URL')
      ? 'of short URLs that this database does not have'
      : 'of an epoch that this database does not descend from';
    lines.push(`  ${clicks} clicks in ${batches} batches ${what}, in the table click_quarantine`);
  }
  return lines;
}
