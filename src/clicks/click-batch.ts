/** Clicks on one short URL within one minute. */
export interface ClickCount {
  urlId: number;
  count: number;
  /** When the last of them was, in milliseconds since 1970. */
  lastAtMs: number;
}

/** The clicks that a web process sends together. (producer, seq) is its identity for ever: however often and by whatever
 *  way it arrives, it is counted once. */
export interface Batch {
  /** UUID of version 7: it tells when the producer was born. */
  producer: string;
  /** 1, 2, 3, … without gaps within a producer. */
  seq: number;
  clicks: ClickCount[];
}

const minuteMs = 60_000;
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The batch that is still growing: equal clicks merge into one entry, so a viral link costs one. */
export function createOpenBatch() {
  const entries = new Map<string, ClickCount>();
  return {
    add(urlId: number, atMs: number): void {
      const key = `${urlId} ${Math.floor(atMs / minuteMs)}`;
      const entry = entries.get(key);
      if (entry) {
        entry.count += 1;
        entry.lastAtMs = Math.max(entry.lastAtMs, atMs);
      } else {
        entries.set(key, { urlId, count: 1, lastAtMs: atMs });
      }
    },
    get distinct() {
      return entries.size;
    },
    clicks: () => [...entries.values()],
  };
}

/** The fields of a stream entry: producer, seq, first time (t) and "urlId,count,ms after t" per entry (c). Short names and
 *  differences, because each waiting click costs Redis memory. */
export function encodeBatch(batch: Batch): string[] {
  const firstAtMs = Math.min(...batch.clicks.map((click) => click.lastAtMs));
  const clicks = batch.clicks.map((click) => `${click.urlId},${click.count},${click.lastAtMs - firstAtMs}`);
  return ['p', batch.producer, 's', String(batch.seq), 't', String(firstAtMs), 'c', clicks.join(';')];
}

/** Reads what encodeBatch wrote; undefined when it is anything else. */
export function decodeBatch(fields: string[]): Batch | undefined {
  const [p, producer, s, seqText, t, firstAtText, c, clicksText, ...more] = fields;
  if (p !== 'p' || s !== 's' || t !== 't' || c !== 'c' || more.length > 0) return undefined;
  if (!producer || !uuid.test(producer) || !clicksText) return undefined;
  const seq = Number(seqText);
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
    clicks.every((click) => isCount(click.urlId) && isCount(click.count) && isTime(click.lastAtMs));
  return readable ? { producer, seq, clicks } : undefined;
}

const isCount = (value: number) => Number.isSafeInteger(value) && value > 0;
/** Within what a Date can say. */
const isTime = (value: number) => Number.isInteger(value) && value >= 0 && value <= 8.64e15;
