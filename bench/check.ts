import { type ClickAudit, isExact, readAudit } from '../src/clicks/ledger/audit.ts';
import type { Knex } from '../src/storage/postgres/postgres.ts';
import { waitUntil } from '../test/support/wait-until.ts';
import type { Tally, Windows } from './windows.ts';

/** The counted clicks of the short codes with one prefix. */
export interface CountedTally extends Tally {
  begin: string;
  counted: number;
}

/** Waits until everything that web processes accepted is counted, and checks `answered ≤ counted ≤ sent` for
 *  each kind of short URL. */
export async function checkCounting(db: Knex, { tallies }: Pick<Windows, 'tallies'>) {
  const audit = await waitUntil('the audit is exact', async () => await readIfExact(db), 60_000).catch(
    async () => await readAudit(db),
  );
  const counted = await readCounted(db);
  const checked = [...tallies].map(([begin, { answered, sent }]): CountedTally => ({
    begin,
    answered,
    counted: counted.get(begin) ?? 0,
    sent,
  }));
  const miscounted = checked
    .filter(({ answered, counted, sent }) => counted < answered || counted > sent)
    .map(
      ({ begin, answered, counted, sent }) =>
        `${begin}: ${answered} answered, ${counted} counted, ${sent} sent`,
    );
  const differing = isExact(audit)
    ? []
    : [
        `the audit differs: ${audit.accepted} accepted, ${audit.counted} counted, ${audit.onUrls} on short URLs`,
      ];
  return { checked, problems: [...miscounted, ...differing] };
}

async function readIfExact(db: Knex): Promise<ClickAudit | false> {
  const audit = await readAudit(db);
  return isExact(audit) && audit;
}

/** The stored clicks of the short URLs, by the prefix of their codes. */
async function readCounted(db: Knex): Promise<Map<string, number>> {
  const { rows } = await db.raw<{ rows: { begin: string; counted: number }[] }>(
    `select substring(u.short_code from '^[a-z]+') as begin, cast(sum(s.click_count) as bigint) as counted
     from urls u join url_stats s on s.url_id = u.id where s.click_count > 0 group by 1`,
  );
  return new Map(rows.map(({ begin, counted }) => [begin, counted]));
}
