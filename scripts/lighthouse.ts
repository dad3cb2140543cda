import { execFile } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { z } from 'zod';
import { findChromium } from '../test/support/http/browser.ts';
import { readEnvFile } from './local/env-file.ts';

/** npm run lighthouse: measures screens of the dashboard of a service that `npm run local -- --demo` runs in another shell, as a slow phone would
 *  see them. Exit code 1 below `minScore`. Lighthouse has 200 packages, so npx fetches it instead of each installation. */
const lighthouse = 'lighthouse@12.8.2';
const minScore = 95;
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
for (const screen of ['/admin/', `/admin/links/${code}`, '/admin/operations']) {
  const { categories, audits } = await measure(`${BASE_URL}${screen}`);
  const scores = Object.values(categories).map(({ title, score }) => ({
    title,
    score: Math.round((score ?? 0) * 100),
  }));
  console.log(`${screen}: ${scores.map(({ title, score }) => `${title} ${score}`).join(', ')}`);
  for (const { title, score, displayValue = '' } of Object.values(audits))
    if (score !== null && score < 0.9) console.log(`  ${title} ${displayValue}`);
  if (scores.some(({ score }) => score < minScore)) process.exitCode = 1;
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

async function measure(url: string) {
  const options = [
    '--output=json',
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
