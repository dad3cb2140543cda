import { expect, test } from 'vitest';
import { readTimeZone } from '../../src/validation/time-zone.ts';
import { useDatabase } from '../support/resources.ts';

const database = useDatabase();

/** The offset from UTC in minutes, according to JavaScript. */
function offsetOf(timeZone: string, at: Date): number {
  const format = new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: 'longOffset' });
  const text = format.formatToParts(at).find(({ type }) => type === 'timeZoneName')!.value;
  const [, sign = '+', hours = '0', minutes = '0'] = /GMT([+-])(\d\d):(\d\d)/.exec(text) ?? [];
  return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes));
}

function isKnown(timeZone: string): boolean {
  try {
    return Boolean(new Intl.DateTimeFormat('en', { timeZone }));
  } catch {
    return false;
  }
}

test('every time zone has the same offsets in PostgreSQL and JavaScript, winter and summer', async () => {
  const { rows } = await database
    .db()
    .raw<{ rows: { name: string }[] }>('select name from pg_timezone_names');
  const names = rows.map(({ name }) => name).filter(isKnown);
  expect(names.length).toBeGreaterThan(400);
  const read = names.map((name) => ({ name, ...readTimeZone(name) }));
  expect(read.filter((one) => 'refused' in one)).toEqual([]);
  for (const at of [new Date('2026-01-15T12:00:00Z'), new Date('2026-07-15T12:00:00Z')]) {
    const zones = read.map((one) => ('zone' in one ? one.zone.toUpperCase() : ''));
    const { rows: offsets } = await database.db().raw<{ rows: { minutes: number }[] }>(
      `select cast(extract(epoch from (cast(:at as timestamptz) at time zone zone)
           - (cast(:at as timestamptz) at time zone 'UTC')) / 60 as integer) as minutes
         from unnest(cast(:zones as text[])) with ordinality as asked (zone, place) order by place`,
      { at, zones },
    );
    const differing = names.filter((name, i) => offsets[i]!.minutes !== offsetOf(name, at));
    expect(differing).toEqual([]);
  }
});

test.each([
  'PST',
  'ist',
  'CEST',
  '+01:00',
  '-5',
  'UTC+1',
  'EST+5',
  'localtime',
  'W. Europe Standard Time',
  '',
])('the name "%s" is rejected with a hint', (name) => {
  expect(readTimeZone(name)).toMatchObject({ refused: expect.stringContaining('such as Europe/Berlin') });
});
