import { type Stats, unwatchFile, watchFile } from 'node:fs';
import { stat } from 'node:fs/promises';
import { isIP } from 'node:net';
import { LRUCache } from 'lru-cache';
import maxmind, { type CountryResponse, type Reader } from 'maxmind';
import type { Log } from '../../log.ts';

/** How often it looks whether there is another file. */
const lookEveryMs = 5_000;
/** Addresses whose country is known by heart. */
const knownAddresses = 10_000;

export type CountryFile = Awaited<ReturnType<typeof openCountryFile>>;

/** Tells countries of addresses by a file in MaxMind's format (GeoLite2 Country or City, DB-IP lite, …), and by the next one when
 *  that is replaced. A file that is missing or cannot be read is a warning, and the one before it goes on to count; without any
 *  all countries are unknown. */
export async function openCountryFile(file: string, log: Log, everyMs = lookEveryMs) {
  let reader: Reader<CountryResponse> | undefined;
  const known = new LRUCache<string, string>({ max: knownAddresses });

  async function load(): Promise<void> {
    try {
      // Reading a FIFO would wait for its writer, and hold the start.
      if (!(await stat(file)).isFile()) throw new Error('not a regular file');
      reader = await maxmind.open<CountryResponse>(file);
      known.clear();
      log.info({ file, builtAt: reader.metadata.buildEpoch }, 'the file of countries is read');
    } catch (error) {
      const meanwhile = reader ? 'the one before it goes on to count' : 'countries are unknown';
      log.warn({ err: error, file }, `the file of countries cannot be read: ${meanwhile}`);
    }
  }

  function lookUp(address: string): string {
    const family = isIP(address);
    // A file of IPv4 addresses alone would answer for the first bits of the others.
    if (reader === undefined || family === 0 || reader.metadata.ipVersion < family) return '';
    try {
      return reader.get(address)?.country?.iso_code ?? '';
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
    /** As the file has it; empty where it has nothing, as for private addresses. */
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
