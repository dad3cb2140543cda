import { execFileSync } from 'node:child_process';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pino from 'pino';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type CountryFile, openCountryFile } from '../../../../src/clicks/enrichment/geoip/country-file.ts';
import { buildCountryFile, buildFile, type Fields } from '../../../support/clicks/mmdb.ts';
import { waitUntil } from '../../../support/wait-until.ts';

const opened: CountryFile[] = [];
let lines: string[];
let folder: string;
let file: string;

beforeEach(async () => {
  lines = [];
  folder = await mkdtemp(path.join(tmpdir(), 'linkmill-countries-'));
  file = path.join(folder, 'countries.mmdb');
});

afterEach(async () => {
  for (const countryFile of opened.splice(0)) countryFile.close();
  await rm(folder, { recursive: true });
});

async function open(): Promise<CountryFile> {
  const log = pino({ level: 'info' }, { write: (line: string) => void lines.push(line) });
  const countryFile = await openCountryFile(file, log, 20);
  opened.push(countryFile);
  return countryFile;
}

const warnings = () => lines.filter((line) => line.includes('"level":40'));

test('an address has the country of its network; private, unknown and invalid ones have none', async () => {
  await writeFile(file, buildCountryFile({ '203.0.113.0/24': 'DE', '198.51.100.0/25': 'NP' }));
  const { find } = await open();
  for (let times = 0; times < 2; times++) {
    expect(['203.0.113.7', '203.0.113.255', '198.51.100.1'].map(find)).toEqual(['DE', 'DE', 'NP']);
    for (const address of [
      '198.51.100.200',
      '10.0.0.1',
      '127.0.0.1',
      '::1',
      'fe80::1',
      '2001:db8::1',
      '',
      'not-an-address',
    ])
      expect(find(address), address).toBe('');
  }
});

test('a file of IPv4 addresses has no country for IPv6 addresses', async () => {
  await writeFile(file, buildCountryFile({ '0.0.0.0/1': 'DE', '128.0.0.0/1': 'NP' }, 4));
  const { find } = await open();
  expect(['1.2.3.4', '203.0.113.7', '2001:db8::1', '::1'].map(find)).toEqual(['DE', 'NP', '', '']);
});

test('a file that is replaced by rename is reloaded, and cached countries change', async () => {
  await writeFile(file, buildCountryFile({ '203.0.113.0/24': 'DE' }));
  const { find } = await open();
  expect(find('203.0.113.7')).toBe('DE');
  for (const country of ['FR', 'NL']) {
    await writeFile(`${file}.new`, buildCountryFile({ '203.0.113.0/24': country }));
    await rename(`${file}.new`, file);
    await waitUntil('the new file is in use', () => find('203.0.113.7') === country);
  }
  expect(warnings()).toEqual([]);
});

test('a missing file causes a warning with its name, and is loaded once it exists', async () => {
  const { find } = await open();
  expect(find('203.0.113.7')).toBe('');
  expect(warnings()).toHaveLength(1);
  expect(warnings()[0]).toContain(file);
  await writeFile(file, buildCountryFile({ '203.0.113.0/24': 'DE' }));
  await waitUntil('the created file is in use', () => find('203.0.113.7') === 'DE');
});

test('a FIFO instead of a file causes a warning and does not block the start', async () => {
  execFileSync('mkfifo', [file]);
  const { find } = await open();
  expect(find('203.0.113.7')).toBe('');
  expect(warnings()).toHaveLength(1);
});

test('a broken or removed file causes a warning, and the previous one stays in use', async () => {
  await writeFile(file, buildCountryFile({ '203.0.113.0/24': 'DE' }));
  const { find } = await open();
  // In one step: a reader of a file that is being written may report it twice.
  await writeFile(`${file}.new`, 'this is no such file');
  await rename(`${file}.new`, file);
  await waitUntil('the broken file is reported', () => warnings().length > 0);
  expect(find('203.0.113.8')).toBe('DE');
  await rm(file);
  await waitUntil('the missing file is reported', () => warnings().some((line) => line.includes('ENOENT')));
  expect(warnings()).toHaveLength(2);
  expect(find('203.0.113.9')).toBe('DE');
});

test.each([0, 20, 200, 300])('a file with damage at byte %i never throws', async (at) => {
  const bytes = buildCountryFile({ '203.0.113.0/24': 'DE' });
  bytes.fill(0xff, at, at + 40);
  await writeFile(file, bytes);
  const { find } = await open();
  for (let n = 0; n < 256; n++) expect(typeof find(`${n}.0.113.7`)).toBe('string');
});

describe('a file of each known schema has the country of an address', () => {
  const names = { en: 'Germany' };
  test.each<[string, Fields]>([
    ['GeoLite2 Country', { country: { iso_code: 'DE', geoname_id: 2_921_044, names } }],
    [
      'GeoLite2, registered country only',
      { registered_country: { iso_code: 'DE' }, continent: { code: 'EU' } },
    ],
    ['DB-IP City Lite', { city: { names }, continent: { code: 'EU' }, country: { iso_code: 'DE', names } }],
    ['IPinfo Lite', { asn: 'AS64496', continent_code: 'EU', country: 'Germany', country_code: 'DE' }],
    ['IPinfo Country', { continent: 'EU', country: 'DE', country_name: 'Germany' }],
    ['ip-location-db (geo-whois-asn-country)', { country_code: 'DE' }],
    ['IPLocate', { continent_code: 'EU', country_code: 'DE', country_name: 'Germany' }],
    ['lower case', { country_code: 'de' }],
    ['a nested location', { location: { country: { iso_code: 'DE' } } }],
  ])('%s', async (_, fields) => {
    await writeFile(file, buildFile({ '203.0.113.0/24': fields }));
    const { find } = await open();
    expect(['203.0.113.7', '198.51.100.1'].map(find)).toEqual(['DE', '']);
    expect(warnings()).toEqual([]);
  });
});

describe('a file without countries causes one warning with its field names', () => {
  test.each<[string, Record<string, Fields>, string[]]>([
    ['of networks', { '203.0.113.0/24': { autonomous_system_number: 64_496 } }, ['autonomous_system_number']],
    [
      'of continents',
      { '1.0.0.0/8': { continent: { code: 'EU' } }, '9.0.0.0/8': { continent_code: 'EU' } },
      ['continent_code'],
    ],
    ['of unknown countries', { '1.0.0.0/8': { country_code: 'XX' } }, ['country_code']],
    ['with an unknown schema', { '1.0.0.0/8': { nation: 'DE' } }, ['nation']],
  ])('%s', async (_, records, fields) => {
    await writeFile(file, buildFile(records));
    const { find } = await open();
    expect(find('203.0.113.7')).toBe('');
    expect(warnings()).toHaveLength(1);
    expect(JSON.parse(warnings()[0]!)).toMatchObject({ file, databaseType: 'Test-Country', fields });
  });
});

test('a file with countries only in later networks causes no warning', async () => {
  const records = Object.fromEntries(
    Array.from({ length: 60 }, (_, i) => [`1.0.${i}.0/24`, { asn: i }] as const),
  );
  await writeFile(file, buildFile({ ...records, '203.0.113.0/24': { country_code: 'DE' } }));
  const { find } = await open();
  expect(find('203.0.113.7')).toBe('DE');
  expect(warnings()).toEqual([]);
});
