import { strict as assert } from 'node:assert';
import { createApiKeys } from '../../../../src/api-keys/api-keys.ts';
import type { Knex } from '../../../../src/storage/postgres/postgres.ts';
import { type Client, createClient } from '../../../support/http/client.ts';
import { launch, placeWeb, readyWeb } from '../../../support/processes/launch.ts';
import type { Day } from '../send-day.ts';
import { type Pair, type Question, questions, rangeOf, readExpected } from './api-questions.ts';
import type { CutVerdict } from './judge-cut.ts';

/** The most clicked short URLs, and some that are rarely clicked. */
const askedUrls = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 50, 100, 500, 1_000, 2_000, 5_000, 9_999];
const maxExamples = 5;

/** Asks the API of a web process about short URLs, and about all of them, and compares the answers with what was sent. */
export async function judgeApi(
  db: Knex,
  { commandLine, settings, dayMs }: Pick<Day, 'commandLine' | 'settings' | 'dayMs'>,
  shortCodes: string[],
): Promise<CutVerdict[]> {
  const placed = await placeWeb(settings);
  const web = launch(commandLine, placed);
  try {
    const { baseUrl } = await readyWeb(web, placed);
    const { key } = await createApiKeys(db).create('day');
    const client = createClient(baseUrl, key);
    const scopes = [...askedUrls.map((n) => shortCodes[n]!), undefined];
    const verdicts: CutVerdict[] = [];
    for (const question of questions) verdicts.push(await judgeQuestion(db, client, question, scopes, dayMs));
    return verdicts;
  } finally {
    await web.stop();
  }
}

async function judgeQuestion(
  db: Knex,
  client: Client,
  question: Question,
  scopes: (string | undefined)[],
  dayMs: number,
): Promise<CutVerdict> {
  const limitResult: CutVerdict = {
    name: `the API: by ${question.name}`,
    figures: 0,
    expected: { clicks: 0, bots: 0 },
    found: { clicks: 0, bots: 0 },
    differing: 0,
    examples: [],
  };
  for (const shortCode of scopes) {
    const expected = await readExpected(db, question, shortCode, dayMs);
    const answer = await ask(client, question, shortCode, dayMs);
    // Room for referrers is that of each short URL: their sum over all is of the most clicked ones.
    if (question.key === 'referrer' && shortCode === undefined) {
      addFigure(limitResult, 'all', sumOf(expected.values()), answer.all);
      continue;
    }
    // What has no group of its own is in `other`.
    const others = [...expected].filter(([name]) => !answer.groups.has(name)).map(([, pair]) => pair);
    addFigure(limitResult, `${shortCode} other`, sumOf(others), answer.other);
    for (const [name, found] of answer.groups)
      addFigure(limitResult, `${shortCode} ${name}`, expected.get(name) ?? [0, 0], found);
  }
  return limitResult;
}

function addFigure(limitResult: CutVerdict, name: string, expected: Pair, found: Pair): void {
  limitResult.figures += 1;
  limitResult.expected.clicks += expected[0];
  limitResult.expected.bots += expected[1];
  limitResult.found.clicks += found[0];
  limitResult.found.bots += found[1];
  if (expected.join() === found.join()) return;
  limitResult.differing += 1;
  if (limitResult.examples.length < maxExamples)
    limitResult.examples.push(`${name}: ${found.join('/')}, not ${expected.join('/')}`);
}

const sumOf = (pairs: Iterable<Pair>): Pair =>
  [...pairs].reduce(([clicks, bots], pair) => [clicks + pair[0], bots + pair[1]], [0, 0]);

async function ask(client: Client, question: Question, shortCode: string | undefined, dayMs: number) {
  const [all, bots] = await Promise.all(
    ['include', 'only'].map((choice) => askFor(client, question, shortCode, dayMs, choice)),
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

async function askFor(
  client: Client,
  question: Question,
  shortCode: string | undefined,
  dayMs: number,
  bots: string,
) {
  const path = shortCode === undefined ? '/api/v1/analytics' : `/api/v1/urls/${shortCode}/analytics`;
  const range = new URLSearchParams({ ...rangeOf(question, dayMs), bots }).toString();
  const { status, body } = await client.get(`${path}?${question.query}&${range}`);
  assert.equal(status, 200, `${path}?${question.query}: ${JSON.stringify(body)}`);
  return body as unknown as { clicks: number; groups: { name: string; clicks: number }[] };
}
