import { toCountryCode } from './country-code.ts';

/** Where files keep the country of a network, in order: a path of names each.
 *  - `country.iso_code`: MaxMind GeoLite2 and GeoIP2, DB-IP, IP2Location, Loyalsoldier
 *  - `country_code`: IPinfo Lite, ip-location-db (geo-whois-asn-country, iptoasn), IPLocate, IPtoASN
 *  - `country` as two letters: IPinfo Country
 *  - the rest: files that programs make by themselves, such as with mmdbctl or mmdbwriter
 *  - `registered_country` and `represented_country`: MaxMind, where the network has no country of its own */
const paths = [
  ['country', 'iso_code'],
  ['country_code'],
  ['country'],
  ['country_iso_code'],
  ['countryCode'],
  ['country', 'code'],
  ['country', 'country_code'],
  ['iso_code'],
  ['cc'],
  ['location', 'country_code'],
  ['location', 'country', 'iso_code'],
  ['location', 'country', 'code'],
  ['registered_country', 'iso_code'],
  ['represented_country', 'iso_code'],
];

/** The country of a record of any known schema, as two capital letters; empty where it has none. */
export function readCountry(record: unknown): string {
  for (const path of paths) {
    const code = toCountryCode(path.reduce(readField, record));
    if (code !== '') return code;
  }
  return '';
}

const readField = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
