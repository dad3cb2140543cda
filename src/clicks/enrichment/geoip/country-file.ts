import { type Stats, unwatchFile, watchFile } from 'node:fs';
import { stat } from 'node:fs/promises';
import { isIP } from 'node:net';
import { LRUCache } from 'lru-cache';
import maxmind, { type Reader, type Response } from 'maxmind';
import type { Log } from '../../../log.ts';
import { readCountry } from './country-record.ts';
import { sampleRecords } from './sample-records.ts';

/** How often it looks whether there is another file. */
const lookEveryMs = 5_000;
/** Addresses whose country is known by heart. */
const knownAddresses = 10_000;

export type CountryFile = Awaited<ReturnType<typeof openCountryFile>>;

/** Tells countries of addresses by a file in MaxMind's format, of any schema that `readCountry` knows, and by the next one when
 *  that is replaced. A file that is missing or cannot be read is a warning, and the previous one stays in use; without any, and
 *  in one whose records have no country, all countries are unknown, which is a warning too. */
export async function openCountryFile(file: string, log: Log, everyMs = lookEveryMs) {
  let reader: Reader<Response> | undefined;
  const known = new LRUCache<string, string>({ max: knownAddresses });

  async function load(): Promise<void> {
    try {
      // Reading a FIFO would wait for its writer, and hold the start.
      if (!(await stat(file)).isFile()) throw new Error('not a regular file');
      reader = await maxmind.open<Response>(file);
      known.clear();
      const { buildEpoch: builtAt, databaseType } = reader.metadata;
      log.info({ file, databaseType, builtAt }, 'loaded country file');
      warnWithoutCountries(reader);
    } catch (error) {
      const meanwhile = reader ? 'keeping the previous one' : 'countries are unknown';
      log.warn({ err: error, file }, `failed to load country file: ${meanwhile}`);
    }
  }

  function warnWithoutCountries(loaded: Reader<Response>): void {
    const { records, fields } = inspect(loaded);
    if (fields === undefined) return;
    log.warn(
      { file, databaseType: loaded.metadata.databaseType, records, fields },
      'found no country in country file, all countries are unknown: use a country file, such as GeoLite2 Country, DB-IP Lite or IPinfo Lite',
    );
  }

  function lookUp(address: string): string {
    const family = isIP(address);
    // A file of IPv4 addresses alone would answer for the first bits of the others.
    if (reader === undefined || family === 0 || reader.metadata.ipVersion < family) return '';
    try {
      return readCountry(reader.get(address));
    } catch {
      // Damaged in one place only.
      return '';
    }
  }

  // By name, not by what the name stands for at first: a new file usually comes by renaming.
  const onLook = (now: Stats, before: Stats) => {
    if (now.mtimeMs !== before.mtimeMs || now.ino !== before.ino || now.size !== before.size)
      loading = loading.then(load);
  };
  watchFile(file, { interval: everyMs }, onLook);
  let loading = load();
  await loading;
  return {
    /** Two capital letters; empty where the file has none, as for private addresses. */
    find(address: string): string {
      const found = known.get(address);
      if (found !== undefined) return found;
      const country = lookUp(address);
      known.set(address, country);
      return country;
    },

    close: () => unwatchFile(file, onLook),
  };
}

/** Field names that are logged at most: a file may be hostile. */
const maxFields = 20;

/** Reads sample records until one has a country. `fields` are those of a record where none has one. Throws for a damaged file. */
function inspect(reader: Reader<Response>): { records: number; fields: string[] | undefined } {
  let records = 0;
  let fields: string[] = [];
  for (const record of sampleRecords(reader)) {
    records++;
    if (readCountry(record) !== '') return { records, fields: undefined };
    if (typeof record === 'object' && record !== null) fields = Object.keys(record).slice(0, maxFields);
  }
  return { records, fields };
}
