import { strict as assert } from 'node:assert';
import { createApiKeys } from '../../../../src/api-keys/api-keys.ts';
import type { Knex } from '../../../../src/storage/postgres/postgres.ts';
import { type Client, createClient } from '../../../support/http/client.ts';
import { launch, placeWeb, readyWeb } from '../../../support/processes/launch.ts';
import type { Day } from '../send-day.ts';
import { type Pair, type ApiQuery, apiQueries, rangeOf, readExpected } from './api-queries.ts';
import type { BreakdownResult } from './compare-breakdown.ts';

/** Indexes of the most clicked short URLs, and of some rarely clicked ones. */
const queriedUrls = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 50, 100, 500, 1_000, 2_000, 5_000, 9_999];
const maxExamples = 5;

/** Compares the API's answers for single short URLs and for all of them with the clicks sent. */
export async function compareApi(
  db: Knex,
  { commandLine, settings, dayMs }: Pick<Day, 'commandLine' | 'settings' | 'dayMs'>,
  shortCodes: string[],
): Promise<BreakdownResult[]> {
  const placed = await placeWeb(settings);
  const web = launch(commandLine, placed);
  try {
    const { baseUrl } = await readyWeb(web, placed);
    const { key } = await createApiKeys(db).create('day');
    const client = createClient(baseUrl, key);
    const scopes = [...queriedUrls.map((n) => shortCodes[n]!), undefined];
    const results: BreakdownResult[] = [];
    for (const apiQuery of apiQueries) results.push(await compareQuery(db, client, apiQuery, scopes, dayMs));
    return results;
  } finally {
    await web.stop();
  }
}

async function compareQuery(
  db: Knex,
  client: Client,
  apiQuery: ApiQuery,
  scopes: (string | undefined)[],
  dayMs: number,
): Promise<BreakdownResult> {
  const result: BreakdownResult = {
    name: `the API: by ${apiQuery.name}`,
    metrics: 0,
    expected: { clicks: 0, bots: 0 },
    found: { clicks: 0, bots: 0 },
    differing: 0,
    examples: [],
  };
  for (const shortCode of scopes) {
    const expected = await readExpected(db, apiQuery, shortCode, dayMs);
    const answer = await readAnswer(client, apiQuery, shortCode, dayMs);
    // The limit of referrers is per short URL, so over all short URLs only the total is known.
    if (apiQuery.key === 'referrer' && shortCode === undefined) {
      addMetric(result, 'all', sumOf(expected.values()), answer.all);
      continue;
    }
    // Values without a group are in `other`.
    const others = [...expected].filter(([name]) => !answer.groups.has(name)).map(([, pair]) => pair);
    addMetric(result, `${shortCode} other`, sumOf(others), answer.other);
    for (const [name, found] of answer.groups)
      addMetric(result, `${shortCode} ${name}`, expected.get(name) ?? [0, 0], found);
  }
  return result;
}

function addMetric(result: BreakdownResult, name: string, expected: Pair, found: Pair): void {
  result.metrics += 1;
  result.expected.clicks += expected[0];
  result.expected.bots += expected[1];
  result.found.clicks += found[0];
  result.found.bots += found[1];
  if (expected.join() === found.join()) return;
  result.differing += 1;
  if (result.examples.length < maxExamples)
    result.examples.push(`${name}: ${found.join('/')}, not ${expected.join('/')}`);
}

const sumOf = (pairs: Iterable<Pair>): Pair =>
  [...pairs].reduce(([clicks, bots], pair) => [clicks + pair[0], bots + pair[1]], [0, 0]);

async function readAnswer(client: Client, apiQuery: ApiQuery, shortCode: string | undefined, dayMs: number) {
  const [all, bots] = await Promise.all(
    ['include', 'only'].map((choice) => sendQuery(client, apiQuery, shortCode, dayMs, choice)),
  );
  const botsIn = new Map(bots!.groups.map(({ name, clicks }) => [name, clicks]));
  const groups = all!.groups
    .filter(({ clicks }) => clicks > 0)
    .map(({ name, clicks }): [string, Pair] => [name, [clicks, botsIn.get(name) ?? 0]]);
  const inGroups = sumOf(groups.map(([, pair]) => pair));
  return {
    groups: new Map(groups),
    all: [all!.clicks, bots!.clicks] satisfies Pair,
    other: [all!.clicks - inGroups[0], bots!.clicks - inGroups[1]] satisfies Pair,
  };
}

async function sendQuery(
  client: Client,
  apiQuery: ApiQuery,
  shortCode: string | undefined,
  dayMs: number,
  bots: string,
) {
  const path = shortCode === undefined ? '/api/v1/analytics' : `/api/v1/urls/${shortCode}/analytics`;
  const range = new URLSearchParams({ ...rangeOf(apiQuery, dayMs), bots }).toString();
  const { status, body } = await client.get(`${path}?${apiQuery.query}&${range}`);
  assert.equal(status, 200, `${path}?${apiQuery.query}: ${JSON.stringify(body)}`);
  return body as unknown as { clicks: number; groups: { name: string; clicks: number }[] };
}
