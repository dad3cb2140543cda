import { type Knex, onlyRow } from '../../storage/postgres/postgres.ts';

/** A web process's own figure against the ledger's. */
export interface ProducerAudit {
  producer: string;
  /** Clicks that the web process says it has accepted. */
  accepted: number;
  /** Clicks that the ledger has counted. */
  counted: number;
  /** Whether a batch is counted before an earlier one: then `counted` may hold newer clicks in place of older ones. */
  hasGap: boolean;
  lastHeardAt: Date;
}

/** What web processes accepted, what the ledger counted and what stands on short URLs, at one moment. */
export interface Books {
  producers: number;
  accepted: number;
  counted: number;
  /** The part of both that belongs to producers which were removed as idle. */
  removed: { accepted: number; counted: number };
  onUrls: number;
  /** The part of that which short URLs brought along from other services. */
  imported: number;
  /** On short URLs that are purged. */
  purged: number;
  /** Producers whose two figures differ, the greatest difference first; at most 10,000. */
  differing: ProducerAudit[];
  /** Entries that could not be counted and are kept to be looked at. */
  quarantined: number;
}

/** Reads the three kinds of figures in one snapshot, so that they belong together while clicks are being counted. */
export async function readAudit(db: Knex): Promise<Books> {
  return await db.transaction(
    async (trx) => {
      const totals = onlyRow(await trx.raw<{ rows: Totals[] }>(totalsSql));
      const { rows: differing } = await trx.raw<{ rows: ProducerAudit[] }>(
        `select producer, accepted, clicks as counted, greatest(last_applied_at, reported_at) as "lastHeardAt",
                exists (select from click_ooo o where o.producer = p.producer) as "hasGap"
         from click_producers p where accepted <> clicks order by abs(accepted - clicks) desc, producer limit 10000`,
      );
      const { removedAccepted, removedCounted, ...figures } = totals;
      return {
        ...figures,
        accepted: figures.accepted + removedAccepted,
        counted: figures.counted + removedCounted,
        removed: { accepted: removedAccepted, counted: removedCounted },
        differing,
      };
    },
    { isolationLevel: 'repeatable read', readOnly: true },
  );
}

/** Whether every accepted click is counted once, and every counted one stands on a short URL. */
export function isExact(books: Books): boolean {
  return (
    books.differing.length === 0 &&
    books.removed.accepted === books.removed.counted &&
    books.counted + books.imported === books.onUrls + books.purged
  );
}

/** Whether every click that had been accepted when `first` was read is counted by now, and none twice: what a service that
 *  goes on counting can be asked. */
export function isExactSince(first: Books, books: Books): boolean {
  const acceptedThen = new Map(first.differing.map(({ producer, accepted }) => [producer, accepted]));
  return (
    books.differing.every(
      ({ producer, accepted, counted, hasGap }) =>
        counted <= accepted && counted >= (acceptedThen.get(producer) ?? 0) && !hasGap,
    ) &&
    books.removed.accepted === books.removed.counted &&
    books.counted + books.imported === books.onUrls + books.purged
  );
}

type Totals = Omit<Books, 'removed' | 'differing'> & { removedAccepted: number; removedCounted: number };

const totalsSql = `
  select p.producers, p.accepted, p.counted, s.on_urls as "onUrls", b.purged_clicks as "purged", i.clicks as "imported",
         b.removed_accepted as "removedAccepted", b.removed_clicks as "removedCounted",
         (select count(*) from click_quarantine) as "quarantined"
  from click_books b, imported_clicks i,
       (select count(*) as producers, cast(coalesce(sum(accepted), 0) as bigint) as accepted,
               cast(coalesce(sum(clicks), 0) as bigint) as counted from click_producers) p,
       (select cast(coalesce(sum(click_count), 0) as bigint) as on_urls from url_stats) s`;
