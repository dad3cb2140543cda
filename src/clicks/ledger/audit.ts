import { type Knex, onlyRow } from '../../storage/postgres/postgres.ts';

/** The clicks of one producer, as reported by its web process and as counted by the ledger. */
export interface ProducerAudit {
  producer: string;
  /** Clicks that the web process reports as accepted. */
  accepted: number;
  /** Clicks that the ledger counts. */
  counted: number;
  /** Whether a batch is counted while an earlier one is missing: `counted` may then include newer clicks instead of
   *  older ones. */
  hasGap: boolean;
  lastSeenAt: Date;
}

/** Totals of accepted clicks, ledger and counters, from one snapshot. */
export interface ClickAudit {
  producers: number;
  accepted: number;
  counted: number;
  /** Share of `accepted` and `counted` of producers that were removed as idle. */
  removed: { accepted: number; counted: number };
  /** Sum of the counters of short URLs. */
  onUrls: number;
  /** Share of `onUrls` that was imported from other services. */
  imported: number;
  /** Clicks on purged short URLs. */
  purged: number;
  /** Producers with a difference, the largest first; at most 10,000. */
  differing: ProducerAudit[];
  /** Number of dead letters. */
  deadLetters: number;
}

/** Reads all totals in one snapshot, so they are consistent while clicks are being counted. */
export async function readAudit(db: Knex): Promise<ClickAudit> {
  return await db.transaction(
    async (trx) => {
      const totals = onlyRow(await trx.raw<{ rows: Totals[] }>(totalsSql));
      const { rows: differing } = await trx.raw<{ rows: ProducerAudit[] }>(
        `select producer, accepted, clicks as counted, greatest(last_applied_at, reported_at) as "lastSeenAt",
                exists (select from click_out_of_order_batches o where o.producer = p.producer) as "hasGap"
         from click_producers p where accepted <> clicks order by abs(accepted - clicks) desc, producer limit 10000`,
      );
      const { removedAccepted, removedCounted, ...rest } = totals;
      return {
        ...rest,
        accepted: rest.accepted + removedAccepted,
        counted: rest.counted + removedCounted,
        removed: { accepted: removedAccepted, counted: removedCounted },
        differing,
      };
    },
    { isolationLevel: 'repeatable read', readOnly: true },
  );
}

/** Whether each accepted click is counted once, and each counted click is on a short URL. */
export function isExact(audit: ClickAudit): boolean {
  return (
    audit.differing.length === 0 &&
    audit.removed.accepted === audit.removed.counted &&
    audit.counted + audit.imported === audit.onUrls + audit.purged
  );
}

/** Whether each click that was accepted at the time of `first` is counted by now, and none twice. Suits a service
 *  that keeps counting. */
export function isExactSince(first: ClickAudit, audit: ClickAudit): boolean {
  const acceptedAtFirst = new Map(first.differing.map(({ producer, accepted }) => [producer, accepted]));
  return (
    audit.differing.every(
      ({ producer, accepted, counted, hasGap }) =>
        counted <= accepted && counted >= (acceptedAtFirst.get(producer) ?? 0) && !hasGap,
    ) &&
    audit.removed.accepted === audit.removed.counted &&
    audit.counted + audit.imported === audit.onUrls + audit.purged
  );
}

type Totals = Omit<ClickAudit, 'removed' | 'differing'> & { removedAccepted: number; removedCounted: number };

const totalsSql = `
  select p.producers, p.accepted, p.counted, s.on_urls as "onUrls", b.purged_clicks as "purged", i.clicks as "imported",
         b.removed_accepted as "removedAccepted", b.removed_clicks as "removedCounted",
         (select count(*) from click_dead_letters) as "deadLetters"
  from click_ledger_totals b, imported_clicks i,
       (select count(*) as producers, cast(coalesce(sum(accepted), 0) as bigint) as accepted,
               cast(coalesce(sum(clicks), 0) as bigint) as counted from click_producers) p,
       (select cast(coalesce(sum(click_count), 0) as bigint) as on_urls from url_stats) s`;
