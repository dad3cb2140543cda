import { Agent } from 'node:http';
import { expect, test } from 'vitest';
import { maxValues } from '../../src/analytics/rollups/daily-values.ts';
import { createClickSegments } from '../../src/analytics/rollups/segments.ts';
import { maxTextLength } from '../../src/clicks/short-text.ts';
import { detailSettings } from '../load/day/visitors.ts';
import { getStatus } from '../support/http/get-status.ts';
import { useService } from '../support/processes/service.ts';
import { createUrl } from '../support/urls/urls.ts';
import { waitUntil } from '../support/wait-until.ts';

/** Less than half of the memory that all of these headers need. */
const heapMegabytes = 96;
const service = useService({
  ...detailSettings,
  NODE_OPTIONS: `--max-old-space-size=${heapMegabytes}`,
});
const db = () => service.database.db();
const clients = 20;
const requests = 25_000;

/** Hostile header values that are valid in HTTP. */
const nasty = [
  '<script>alert(1)</script>',
  '\t',
  '\u{80}\u{9f}',
  '" onload="x',
  "'; drop table urls; --",
  '=cmd()',
  '\u{e9}',
];

/** Headers of about 12 KB that differ in each request. */
function makeHeaders(n: number): Record<string, string> {
  const bad = nasty[n % nasty.length]!;
  const schemes = ['https', 'http', 'android-app', 'javascript'];
  return {
    'User-Agent': `${n} ${bad} Mozilla/5.0 ${'x'.repeat(10_000)}`,
    Referer: `${schemes[n % schemes.length]}://${n % 3 === 0 ? bad : ''}${n}.example${n % 5 === 0 ? 'y'.repeat(1_500) : ''}/${bad}`,
    'CF-IPCountry': n % 2 === 0 ? bad : 'DE',
    'X-Forwarded-For': `${bad}, ${n % 7 === 0 ? bad : `198.18.${(n >> 8) & 255}.${n & 255}`}`,
  };
}

async function sendAll(url: string): Promise<Map<number | string, number>> {
  const agent = new Agent({ keepAlive: true, maxSockets: clients });
  const outcomes = new Map<number | string, number>();
  let next = 0;
  const runClient = async () => {
    for (let n = next++; n < requests; n = next++) {
      const outcome = await getStatus(url, agent, makeHeaders(n));
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: clients }, runClient));
  agent.destroy();
  return outcomes;
}

test('25,000 hostile headers are counted with bounded memory and cardinality', async () => {
  const code = await createUrl(service.client());
  expect(await sendAll(`${service.baseUrl()}/${code}`)).toEqual(new Map([[301, requests]]));
  const isCounted = async () => (await db()('url_stats').first('click_count'))?.click_count === requests;
  await waitUntil('all clicks are counted', isCounted, 60_000);

  await createClickSegments(db()).rollUp({ always: true });
  const figures = await db()('url_clicks_daily').select('dimension', 'value', 'clicks', 'day');
  const days = new Set(figures.map(({ day }) => String(day))).size;
  for (const dimension of ['country', 'referrer', 'browser', 'os', 'device']) {
    const values = figures.filter((figure) => figure.dimension === dimension);
    expect(values.length).toBeLessThanOrEqual(days * (maxValues + 2));
    expect(values.reduce((sum, { clicks }) => sum + clicks, 0)).toBe(requests);
  }
  const texts = new Set(figures.map(({ value }) => String(value)));
  expect(texts.size).toBeGreaterThan(maxValues);
  // oxlint-disable-next-line no-control-regex
  const isUnsafe = (text: string) => text.length > maxTextLength || /[<>\0-\x1f\x7f-\x9f]/.test(text);
  expect([...texts].filter(isUnsafe)).toEqual([]);

  const shown = await fetch(
    `${service.baseUrl()}/api/v1/urls/${code}/analytics?group_by=referrer&limit=1000`,
    {
      headers: { 'x-api-key': service.apiKey() },
    },
  );
  // A browser does not sniff another content type from hostile text.
  expect(shown.headers.get('content-type')).toMatch(/^application\/json/);
  expect(shown.headers.get('x-content-type-options')).toBe('nosniff');
  const { clicks, groups, other } = (await shown.json()) as {
    clicks: number;
    groups: { name: string }[];
    other: number;
  };
  expect(clicks).toBe(requests);
  expect(other).toBeGreaterThan(0);
  expect(groups.filter(({ name }) => isUnsafe(name))).toEqual([]);
  const countries = figures.filter(({ dimension }) => dimension === 'country').map(({ value }) => value);
  expect(new Set(countries)).toEqual(new Set(['', 'DE']));
});
