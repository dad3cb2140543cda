import { randomInt } from 'node:crypto';
import type { ClickCount } from '../click-batch.ts';
import type { ClickDetail } from '../click-detail.ts';

/** So many numbers V8 keeps without making objects. */
const places = 2 ** 30;

/** Entries by what they have in common, all of it compared. They are found by a number made of it: to make a text of it takes
 *  longer than everything else that counting takes. `minuteOf` says which times are told apart. */
export function createClickTable(minuteOf: (atMs: number) => number) {
  const entries = new Map<number, ClickCount>();
  /** Lets nobody know which texts would crowd around one place. */
  const seed = randomInt(places);

  const isEqual = (a: ClickCount, b: ClickCount) =>
    a.urlId === b.urlId &&
    minuteOf(a.lastAtMs) === minuteOf(b.lastAtMs) &&
    (a.detail === b.detail || (a.detail && b.detail && areEqual(a.detail, b.detail)));

  return {
    /** Adds a click to its equal; where it has none it becomes an entry itself, or nothing comes of it at `maxEntries` entries.
     *  False in that case. */
    merge(click: ClickCount, maxEntries: number): boolean {
      let place = placeOf(seed, click, minuteOf(click.lastAtMs));
      let entry = entries.get(place);
      while (entry && !isEqual(entry, click)) {
        place = (place + 1) % places;
        entry = entries.get(place);
      }
      if (entry) {
        entry.count += click.count;
        if (click.lastAtMs > entry.lastAtMs) entry.lastAtMs = click.lastAtMs;
        return true;
      }
      if (entries.size >= maxEntries) return false;
      entries.set(place, click);
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

function placeOf(seed: number, { urlId, detail }: ClickCount, minute: number): number {
  let mixed = mix(mix(seed, urlId), minute);
  if (detail) {
    const { visitor, referrer } = detail;
    mixed = mixText(mixText(mixed, visitor), referrer);
    // A visitor has one of each, mostly.
    if (visitor === '') mixed = mixRest(mixed, detail);
  }
  return (mixed ^ (mixed >>> 15)) & (places - 1);
}

function mixRest(start: number, { country, browser, os, device, isBot }: ClickDetail): number {
  return mix(mixText(mixText(mixText(mixText(start, country), browser), os), device), isBot ? 1 : 0);
}

function mixText(start: number, text: string): number {
  let mixed = start;
  for (let i = 0; i < text.length; i++) mixed = mix(mixed, text.charCodeAt(i));
  return mixed;
}

/** A step of FNV-1a, for 32 bits. */
const mix = (mixed: number, value: number) => Math.imul(mixed ^ value, 0x01000193);
