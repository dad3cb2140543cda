import { randomInt } from 'node:crypto';
import type { ClickCount } from './click-batch.ts';
import type { ClickDetail } from './click-detail.ts';

/** Number of hash slots. V8 stores integers below 2 ** 30 without allocating objects. */
const slotCount = 2 ** 30;
/** Random, so that clients cannot craft colliding clicks. One per process: a random number takes longer than ten clicks. */
const seed = randomInt(slotCount);

/** Merges identical clicks. `minuteOf` returns the minute by which clicks are separated. A hash table with open addressing finds
 *  an identical click by a number, and then compares every field. Text keys are simpler, but take 2.3 µs per click instead of
 *  1.2 µs (batches of 200 clicks on 500 short URLs, Node 20), and each redirect records a click, which a worker merges once more. */
export function createClickAggregate(minuteOf: (atMs: number) => number) {
  const entries = new Map<number, ClickCount>();

  const isEqual = (a: ClickCount, b: ClickCount) =>
    a.urlId === b.urlId &&
    minuteOf(a.lastAtMs) === minuteOf(b.lastAtMs) &&
    (a.detail === b.detail || (a.detail && b.detail && areEqual(a.detail, b.detail)));

  return {
    /** Merges a click into an identical entry, or adds it as a new entry. Returns false, and drops the click, when that would
     *  exceed `maxEntries`. */
    merge(click: ClickCount, maxEntries: number): boolean {
      let slot = hashOf(click, minuteOf(click.lastAtMs));
      let entry = entries.get(slot);
      while (entry && !isEqual(entry, click)) {
        slot = (slot + 1) % slotCount;
        entry = entries.get(slot);
      }
      if (entry) {
        entry.count += click.count;
        if (click.lastAtMs > entry.lastAtMs) entry.lastAtMs = click.lastAtMs;
        return true;
      }
      if (entries.size >= maxEntries) return false;
      entries.set(slot, click);
      return true;
    },

    get size() {
      return entries.size;
    },

    entries: () => [...entries.values()],
  };
}

function areEqual(a: ClickDetail, b: ClickDetail): boolean {
  return (
    a.visitor === b.visitor &&
    a.referrer === b.referrer &&
    a.country === b.country &&
    a.browser === b.browser &&
    a.os === b.os &&
    a.device === b.device &&
    a.isBot === b.isBot &&
    a.botKind === b.botKind
  );
}

function hashOf({ urlId, detail }: ClickCount, minute: number): number {
  let hash = mix(mix(seed, urlId), minute);
  if (detail) {
    const { visitor, referrer } = detail;
    hash = mixText(mixText(hash, visitor), referrer);
    // A visitor usually has a single country and user agent, so the hash leaves them out.
    if (visitor === '') hash = mixClient(hash, detail);
  }
  return (hash ^ (hash >>> 15)) & (slotCount - 1);
}

function mixClient(hash: number, { country, browser, os, device, isBot }: ClickDetail): number {
  return mix(mixText(mixText(mixText(mixText(hash, country), browser), os), device), isBot ? 1 : 0);
}

function mixText(start: number, text: string): number {
  let hash = start;
  for (let i = 0; i < text.length; i++) hash = mix(hash, text.charCodeAt(i));
  return hash;
}

/** One step of the 32-bit hash FNV-1a. */
const mix = (hash: number, value: number) => Math.imul(hash ^ value, 0x01000193);
