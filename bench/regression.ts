import { existsSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { cpuShare, ratioOf } from './goals.ts';
import type { Findings } from './rounds.ts';
import { baselineOf } from './scenarios/subjects.ts';

/** The last full run: by major version of Node.js and subject, the processor time of the bare server, of that of the subject. */
const file = new URL('expected.json', import.meta.url);
const version = process.versions.node.split('.', 1)[0]!;
/** How much more processor time a redirect may take than in that run. */
const tolerated = 1.1;

const redirects = ['memory', 'detail-full', 'detail-count', 'redis', 'table', 'unknown', 'scan'];

type Shares = Record<string, number>;

function sharesOf(findings: Findings): Shares {
  return Object.fromEntries(
    redirects.flatMap((id) => {
      const share = ratioOf(findings.get(id), findings.get(baselineOf(id)), cpuShare);
      return share ? [[id, Math.round(share.median * 1_000) / 1_000]] : [];
    }),
  );
}

function readExpected(): Record<string, Shares> {
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Record<string, Shares>) : {};
}

/** Stores the shares of a run; those of subjects that it did not measure stay. */
export async function storeExpected(findings: Findings): Promise<void> {
  const before = readExpected();
  const expected = { ...before, [version]: { ...before[version], ...sharesOf(findings) } };
  await writeFile(file, `${JSON.stringify(expected, null, 2)}\n`);
}

/** Describes each kind of redirect that takes more than a tenth more processor time than in the last full run with this major version of
 *  Node.js, in both cases relative to the bare server. */
export function findRegressions(findings: Findings): string[] {
  const expected = readExpected()[version];
  if (expected === undefined) return [`no full run with Node.js ${version} is stored in bench/expected.json`];
  return Object.entries(sharesOf(findings)).flatMap(([id, share]) => {
    const before = expected[id];
    if (before === undefined || before / share <= tolerated) return [];
    const more = Math.round((before / share - 1) * 100);
    return `${id} takes ${more} % more processor time: ${share} of a bare server, ${before} before`;
  });
}
