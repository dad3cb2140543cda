import { type Stats, unwatchFile, watchFile } from 'node:fs';
import { stat } from 'node:fs/promises';
import { isIP } from 'node:net';
import { LRUCache } from 'lru-cache';
import maxmind, { type Reader, type Response } from 'maxmind';
import type { Log } from '../../../log.ts';
import { readCountry } from './country-record.ts';
import { sampleRecords } from './sample-records.ts';

/** How often to check whether the file was replaced. */
const checkIntervalMs = 5_000;
/** Entries of the address cache. */
const cachedAddresses = 10_000;

export type CountryFile = Awaited<ReturnType<typeof openCountryFile>>;

/** Looks up countries of addresses in a MaxMind file of any schema that `readCountry` supports, and reloads the file
 *  when it is replaced. When a file is missing or unreadable, it logs a warning and keeps the previous one. Countries
 *  are unknown without a file, and with a file whose records have no country, which is a warning too. */
export async function openCountryFile(file: string, log: Log, everyMs = checkIntervalMs) {
  let reader: Reader<Response> | undefined;
  const cache = new LRUCache<string, string>({ max: cachedAddresses });

  async function load(): Promise<void> {
    try {
      // Reading a FIFO would block the start until a writer appears.
      if (!(await stat(file)).isFile()) throw new Error('not a regular file');
      reader = await maxmind.open<Response>(file);
      cache.clear();
      const { buildEpoch: builtAt, databaseType } = reader.metadata;
      log.info({ file, databaseType, builtAt }, 'loaded country file');
      warnWithoutCountries(reader);
    } catch (error) {
      const consequence = reader ? 'keeping the previous one' : 'countries are unknown';
      log.warn({ err: error, file }, `failed to load country file: ${consequence}`);
    }
  }

  function warnWithoutCountries(loaded: Reader<Response>): void {
    const { records, fields } = inspect(loaded);
    if (fields === undefined) return;
    log.warn(
      { file, databaseType: loaded.metadata.databaseType, records, fields },
      'found no country in country file, all countries are unknown: use a file such as GeoLite2 Country, DB-IP Lite or IPinfo Lite',
    );
  }

  function lookUp(address: string): string {
    const family = isIP(address);
    // A file of IPv4 addresses would match the first bits of an IPv6 address.
    if (reader === undefined || family === 0 || reader.metadata.ipVersion < family) return '';
    try {
      return readCountry(reader.get(address));
    } catch {
      // Damaged at this record only.
      return '';
    }
  }

  // Watch the name, not the inode: a new file usually arrives by rename.
  const onChange = (now: Stats, before: Stats) => {
    if (now.mtimeMs !== before.mtimeMs || now.ino !== before.ino || now.size !== before.size)
      loading = loading.then(load);
  };
  watchFile(file, { interval: everyMs }, onChange);
  let loading = load();
  await loading;
  return {
    /** Returns the country code in upper case; empty when the file has none, as for private addresses. */
    find(address: string): string {
      const cached = cache.get(address);
      if (cached !== undefined) return cached;
      const country = lookUp(address);
      cache.set(address, country);
      return country;
    },

    close: () => unwatchFile(file, onChange),
  };
}

/** Maximum number of logged field names: a file may be hostile. */
const maxFields = 20;

/** Reads sample records until one has a country. `fields` are the field names of a sample when none has a country.
 *  Throws for a damaged file. */
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
