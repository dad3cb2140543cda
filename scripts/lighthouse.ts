import { execFile } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { z } from 'zod';
import { findChromium } from '../test/support/http/browser.ts';
import { readEnvFile } from './local/env-file.ts';

/** npm run lighthouse: measures screens of the dashboard of a service that `npm run local -- --demo` runs in another shell, on a desktop and as
 *  Lighthouse simulates a slow phone. Each score is the median of some runs, because one run differs much from the next. Exit code 1 below
 *  a score that it must have. Lighthouse has 200 packages, so npx fetches it instead of each installation. */
const lighthouse = 'lighthouse@12.8.2';
const minScore = 95;
/** The performance of the simulated phone is four times the time that this machine takes to render, and two cores that run service, browser and
 *  Lighthouse give 70 to 90. The bound finds a screen that has become slow. */
const minPhonePerformance = 65;
const runs = 3;
/** The dashboard is not for search engines: robots.txt disallows it. */
const skippedAudits = 'is-crawlable';

const root = fileURLToPath(new URL('..', import.meta.url));
const { BASE_URL = '', API_KEY = '' } = readEnvFile(
  path.resolve(root, process.env['LINKMILL_LOCAL_DIR'] || '.local', 'env'),
);
const reportSchema = z.object({
  categories: z.record(z.string(), z.object({ title: z.string(), score: z.number().nullable() })),
  audits: z.record(
    z.string(),
    z.object({ title: z.string(), score: z.number().nullable(), displayValue: z.string().optional() }),
  ),
});

const cookie = await signIn();
const code = await findCode();
const { executablePath, env } = await findChromium();
for (const screen of ['/admin/', `/admin/links/${code}`, '/admin/operations'])
  for (const device of ['desktop', 'phone'] as const) await judge(screen, device);

/** Prints the scores of a screen, and what lowers the one of performance most. */
async function judge(screen: string, device: 'desktop' | 'phone'): Promise<void> {
  const reports: Awaited<ReturnType<typeof measure>>[] = [];
  while (reports.length < runs) reports.push(await measure(`${BASE_URL}${screen}`, device));
  const scoreOf = ({ categories }: (typeof reports)[number], name: string) =>
    Math.round((categories[name]?.score ?? 0) * 100);
  const [median] = reports
    .toSorted((a, b) => scoreOf(a, 'performance') - scoreOf(b, 'performance'))
    .slice(Math.floor(runs / 2));
  const scores = Object.entries(median!.categories).map(
    ([name, { title }]) => `${title} ${scoreOf(median!, name)}`,
  );
  console.log(`${screen} on a ${device}: ${scores.join(', ')}`);
  for (const { title, score, displayValue = '' } of Object.values(median!.audits))
    if (score !== null && score < 0.9) console.log(`  ${title} ${displayValue}`);
  const leastOf = (name: string) =>
    device === 'phone' && name === 'performance' ? minPhonePerformance : minScore;
  if (Object.keys(median!.categories).some((name) => scoreOf(median!, name) < leastOf(name)))
    process.exitCode = 1;
}

/** Creates a session; resolves to its cookie. */
async function signIn(): Promise<string> {
  const response = await fetch(`${BASE_URL}/api/v1/sessions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: BASE_URL, 'sec-fetch-site': 'same-origin' },
    body: JSON.stringify({ api_key: API_KEY }),
  });
  const [cookie] = response.headers.getSetCookie().map((header) => header.split(';', 1)[0]!);
  if (cookie === undefined) throw new Error(`signing in failed: ${response.status} ${await response.text()}`);
  return cookie;
}

/** The code of the link with the most clicks. */
async function findCode(): Promise<string> {
  const response = await fetch(`${BASE_URL}/api/v1/urls?sort=-clicks&limit=1`, {
    headers: { 'x-api-key': API_KEY },
  });
  const { items } = z
    .object({ items: z.array(z.object({ short_code: z.string() })) })
    .parse(await response.json());
  if (items[0] === undefined) throw new Error('the service has no links: run npm run local -- --demo');
  return items[0].short_code;
}

async function measure(url: string, device: 'desktop' | 'phone') {
  const options = [
    '--output=json',
    ...(device === 'desktop' ? ['--preset=desktop'] : []),
    '--quiet',
    '--chrome-flags=--headless=new --no-sandbox --disable-gpu',
    `--skip-audits=${skippedAudits}`,
    `--extra-headers=${JSON.stringify({ Cookie: cookie })}`,
  ];
  const { stdout } = await promisify(execFile)('npx', ['--yes', lighthouse, url, ...options], {
    env: { ...process.env, ...env, CHROME_PATH: executablePath },
    maxBuffer: 64 * 1024 * 1024,
  });
  return reportSchema.parse(JSON.parse(stdout));
}
