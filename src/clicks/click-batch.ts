import type { ClickDetail } from './click-detail.ts';

/** Equal clicks on one short URL within one minute. */
export interface ClickCount {
  urlId: number;
  count: number;
  /** When the last of them was, in milliseconds since 1970. */
  lastAtMs: number;
  /** What they have in common; left out where only their number is known. */
  detail?: ClickDetail;
}

/** The clicks that a web process sends together. (producer, seq) is its identity for ever: however often and by whatever
 *  way it arrives, it is counted once. */
export interface Batch {
  /** UUID of version 7: it tells when the producer was born. */
  producer: string;
  /** 1, 2, 3, … without gaps within a producer. */
  seq: number;
  /** The clicks of all batches of the producer up to this one, which is what the ledger is checked against. */
  accepted: number;
  clicks: ClickCount[];
}

const minuteMs = 60_000;
const fieldNames = ['p', 's', 'a', 't', 'c'];
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Clicks that are still growing together: equal ones merge into one entry, so a viral link costs one. At `maxEntries` it
 *  keeps the short URLs apart and no longer the minutes; at that many short URLs it drops what is on further ones. */
export function createOpenBatch(maxEntries = Infinity) {
  let entries = new Map<number | string, ClickCount>();
  let byMinute = true;
  let clicks = 0;
  let dropped = 0;
  /** Most batches live within one minute, and the id alone is the cheaper key. */
  let firstMinute: number | undefined;

  function keyOf(urlId: number, atMs: number): number | string {
    if (!byMinute) return urlId;
    const minute = Math.floor(atMs / minuteMs);
    firstMinute ??= minute;
    return minute === firstMinute ? urlId : `${urlId} ${minute}`;
  }

  /** False where there is no room. */
  function merge(urlId: number, count: number, lastAtMs: number): boolean {
    const key = keyOf(urlId, lastAtMs);
    const entry = entries.get(key);
    if (entry) {
      entry.count += count;
      if (lastAtMs > entry.lastAtMs) entry.lastAtMs = lastAtMs;
    } else if (entries.size < maxEntries) {
      entries.set(key, { urlId, count, lastAtMs });
    } else {
      return false;
    }
    return true;
  }

  function mergeMinutes(): void {
    byMinute = false;
    const before = entries.values();
    entries = new Map();
    for (const { urlId, count, lastAtMs } of before) merge(urlId, count, lastAtMs);
  }

  return {
    add(urlId: number, atMs: number): void {
      if (merge(urlId, 1, atMs)) {
        clicks += 1;
        return;
      }
      if (byMinute) {
        mergeMinutes();
        this.add(urlId, atMs);
      } else {
        dropped += 1;
      }
    },
    /** Entries, which is what it costs. */
    get distinct() {
      return entries.size;
    },
    /** Clicks in it. */
    get clicks() {
      return clicks;
    },
    /** Clicks that found no room. */
    get dropped() {
      return dropped;
    },
    entries: () => [...entries.values()],
  };
}

/** The clicks of these batches. */
export const countClicks = (batches: Batch[]) =>
  batches.reduce((sum, batch) => batch.clicks.reduce((count, click) => count + click.count, sum), 0);

/** The fields of a stream entry: producer, seq, accepted, first time (t) and "urlId,count,ms after t" per entry (c). Short
 *  names and differences, because each waiting click costs Redis memory. */
export function encodeBatch(batch: Batch): string[] {
  const firstAtMs = batch.clicks.reduce((first, click) => Math.min(first, click.lastAtMs), Infinity);
  const clicks = batch.clicks.map((click) => `${click.urlId},${click.count},${click.lastAtMs - firstAtMs}`);
  const { producer, seq, accepted } = batch;
  return ['p', producer, 's', `${seq}`, 'a', `${accepted}`, 't', `${firstAtMs}`, 'c', clicks.join(';')];
}

/** Reads what encodeBatch wrote; undefined when it is anything else. */
export function decodeBatch(fields: string[]): Batch | undefined {
  if (fields.length !== 2 * fieldNames.length) return undefined;
  if (fieldNames.some((name, i) => fields[2 * i] !== name)) return undefined;
  const [producer, seqText, acceptedText, firstAtText, clicksText] = fieldNames.map(
    (_, i) => fields[2 * i + 1],
  );
  if (!producer || !uuid.test(producer) || !clicksText) return undefined;
  const seq = Number(seqText);
  const accepted = Number(acceptedText);
  const firstAtMs = Number(firstAtText);
  const clicks = clicksText.split(';').map((text): ClickCount => {
    const [urlId, count, afterMs, ...rest] = text.split(',').map(Number);
    return {
      urlId: urlId ?? NaN,
      count: count ?? NaN,
      lastAtMs: rest.length > 0 ? NaN : firstAtMs + (afterMs ?? NaN),
    };
  });
  const readable =
    isCount(seq) &&
    isCount(accepted) &&
    clicks.every((click) => isCount(click.urlId) && isCount(click.count) && isTime(click.lastAtMs));
  return readable ? { producer, seq, accepted, clicks } : undefined;
}

const isCount = (value: number) => Number.isSafeInteger(value) && value > 0;
/** Within what a Date can say. */
const isTime = (value: number) => Number.isInteger(value) && value >= 0 && value <= 8.64e15;
