import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Fields, readRow } from '../../../src/transfers/rows/row-schema.ts';
import { createDestinationPolicy } from '../../../src/urls/input/destination-policy.ts';

const normaliseUrl = createDestinationPolicy({ ownHosts: [], allowPrivate: false, isBlocked: () => false });

const flag = fc.constantFrom<unknown>(true, false, 'true', 'false', 'TRUE', 'no', '1', 0, '', 'maybe', null);
const time = fc.oneof(
  fc.constantFrom<unknown>(
    '',
    null,
    0,
    '2024-02-30T00:00:00Z',
    '2024-01-01T24:00:00Z',
    '0000-01-01T00:00:00Z',
  ),
  fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
  fc.date({ noInvalidDate: true }).map((date) => date.toISOString().replace(/\.\d+Z$/, 'Z')),
);
const row = fc.record(
  {
    original_url: fc.oneof(
      fc.webUrl(),
      fc.constantFrom<unknown>('https://example.com/\uFFFD', 'javascript:alert(1)', 7, null),
    ),
    short_code: fc.oneof(
      fc.stringMatching(/^[\w.-]{0,66}$/),
      fc.constantFrom<unknown>('admin', 'Robots', 'ΣΊΣΥΦΟΣ', 'a\u0308', '\uFFFD', 12, null, true),
    ),
    starts_at: time,
    expires_at: time,
    is_active: flag,
    is_one_time: flag,
    has_password: flag,
  },
  { requiredKeys: [] },
);

/** The result of a row without its click limit. A row with one is read by the complete schema. */
function readWithoutLimit(fields: Fields) {
  const result = readRow(fields, normaliseUrl);
  return 'url' in result ? { ...result, url: { ...result.url, maxClicks: null } } : result;
}

test('usual rows are read as by the complete schema', () => {
  fc.assert(
    fc.property(row, (fields) => {
      expect(readWithoutLimit(fields)).toEqual(readWithoutLimit({ ...fields, max_clicks: '1' }));
    }),
    { numRuns: 2_000 },
  );
});

test('a time in the usual form is read as in another one', () => {
  const readCreated = (created_at: string) =>
    readRow({ original_url: 'https://example.com/', created_at }, normaliseUrl);
  const digits = (max: number) => fc.nat({ max }).map((n) => String(n).padStart(2, '0'));
  const parts = fc.tuple(fc.constantFrom('0000', '0001', '2023', '2024', '9999'), digits(13), digits(32));
  fc.assert(
    fc.property(parts, fc.tuple(digits(25), digits(61), digits(61)), (day, clock) => {
      const text = `${day.join('-')}T${clock.join(':')}`;
      expect(readCreated(`${text}Z`)).toEqual(readCreated(`${text}+00:00`));
    }),
    { numRuns: 2_000 },
  );
});

test('a title is trimmed, and one that is too long is shortened', () => {
  const readTitle = (title: string) => readRow({ original_url: 'https://example.com/', title }, normaliseUrl);
  expect(readTitle(' Title, of 1 ')).toMatchObject({ url: { title: 'Title, of 1' }, warnings: [] });
  expect(readTitle('x'.repeat(5_000))).toMatchObject({ warnings: [{ field: 'title', code: 'shortened' }] });
  expect(readTitle(' \t ')).toMatchObject({ url: { title: null }, warnings: [{ code: 'dropped' }] });
});
