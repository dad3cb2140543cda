import { countAll, sendRedirects, startLoadOnAll, type Tally } from '../../../support/processes/load.ts';
import { createUrl, insertUrls } from '../../../support/urls/urls.ts';
import { waitUntil } from '../../../support/wait-until.ts';
import type { Fault } from '../fault.ts';
import { pause, type Stack } from '../stack.ts';
import { type Replace, takeDump, takeStandby } from './database-copies.ts';

/** More IDs than PostgreSQL logs ahead of a sequence, so that a promoted standby issues the same IDs again. */
const lostUrls = 40;
const followsWithinMs = 2_000;
const lostTarget = 'https://lost.example/';

/** Replaces the database by an earlier state under load, then checks redirects, edits and clicks. */
const loseDatabase = (takeCopy: (stack: Stack) => Promise<Replace>) => async (stack: Stack, turn: number) => {
  const client = stack.client(stack.webs[0]);
  const counted = await createUrl(client, { original_url: 'https://kept.example/counted' });
  const deleted = await createUrl(client, { original_url: 'https://kept.example/deleted' });
  await visitAll(stack, [counted]);
  await waitUntil(
    'clicks are counted before the copy',
    async () => (await stack.readCounted()).get(counted) === stack.tally.answered.get(counted),
    60_000,
  );

  const replace = await takeCopy(stack);
  const lost = await writeLostPart(stack, { turn, deleted });
  // Visits of lost short URLs are in progress when the copy replaces the database.
  const late = startLoadOnAll(
    stack.webs.map(({ baseUrl }) => baseUrl),
    lost.codes,
    { clients: 4, thinkMs: () => stack.random.between(5, 20) },
  );
  let replacedAt: number;
  try {
    await waitUntil('lost short URLs are visited', () => countAll(late.tally.answered) >= lostUrls);
    await pause(stack, 1_000, 2_500);
    const { before, after } = await replace();
    replacedAt = performance.now();
    for (const [code, count] of after)
      stack.lostPart.set(code, (stack.lostPart.get(code) ?? 0) + (before.get(code) ?? count) - count);
  } finally {
    await late.stop();
  }
  await checkRedirects(stack, lost, replacedAt);
  await checkEdit(stack, lost.changed);
  await checkReusedIds(stack, { turn, lostIds: lost.ids });
};

/** Writes changes that the copy lacks: an edit, a deletion, and new short URLs. */
async function writeLostPart(stack: Stack, { turn, deleted }: { turn: number; deleted: string }) {
  const client = stack.client(stack.webs[0]);
  const changed = stack.random.pick([...stack.tally.answered.keys()].filter((code) => code !== deleted));
  await client.patch(`/api/v1/urls/${changed}`, { original_url: lostTarget });
  await client.delete(`/api/v1/urls/${deleted}`);
  const begin = `lost-${turn}-`;
  await insertUrls(stack.db, { begin, count: lostUrls, areClicked: false });
  const rows = await stack.db('urls').whereLike('short_code', `${begin}%`).select('id', 'short_code');
  for (const web of stack.webs) {
    const { headers } = await stack.client(web).head(`/${changed}`);
    if (headers.get('location') !== lostTarget)
      stack.problems.push('an edit did not take effect before the fault');
  }
  return {
    changed,
    codes: rows.map((row) => row.short_code as string),
    ids: new Set(rows.map((row) => row.id as number)),
  };
}

/** Checks all short URLs, existing and lost, at both web processes. */
async function checkRedirects(
  stack: Stack,
  lost: { changed: string; codes: string[] },
  replacedAt: number,
): Promise<void> {
  const { webs, db, client, problems, delays } = stack;
  const rows = await db('urls').whereNull('deleted_at').select('short_code', 'original_url');
  const targets = new Map(rows.map((row) => [row.short_code as string, row.original_url as string]));
  if (targets.get(lost.changed) === lostTarget || lost.codes.some((code) => targets.has(code)))
    throw new Error('the database still has the lost part');
  const visits = webs.flatMap((web) => [...targets.keys(), ...lost.codes].map((code) => ({ web, code })));
  let staleMs = 0;
  let failedMs = 0;
  // Sequentially: hundreds of concurrent look-ups would be shed.
  const isRight = async () => {
    let isAnswered = true;
    for (const { web, code } of visits) {
      const ms = performance.now() - replacedAt;
      const { status, headers } = await client(web).head(`/${code}`);
      if (status >= 500) {
        failedMs = ms;
        isAnswered = false;
      } else if ((headers.get('location') ?? undefined) !== targets.get(code)) {
        staleMs = ms;
        return false;
      }
    }
    return isAnswered;
  };
  await waitUntil('all redirects match the database', isRight, 30_000).catch((error: Error) => {
    problems.push(error.message);
  });
  stack.print(
    `last stale redirect after ${Math.round(staleMs)} ms, last failed redirect after ${Math.round(failedMs)} ms`,
  );
  if (staleMs > followsWithinMs) delays.push(`a redirect was stale after ${Math.round(staleMs)} ms`);
  if (failedMs > followsWithinMs)
    delays.push(`a redirect failed ${Math.round(failedMs)} ms after the database was replaced`);
  await waitForEpoch(stack);
}

/** Waits until both web processes record clicks under the current epoch, which their producer IDs contain. */
async function waitForEpoch({ db, webs }: Stack): Promise<void> {
  await waitUntil(
    'both web processes record clicks under the new epoch',
    async () => {
      const result = await db.raw<{ rows: [{ producers: number }] }>(
        `select cast(count(*) as int) as producers from click_producers
         where substr(cast(producer as text), 25, 6) =
           (select left(cast(epoch as text), 6) from database_epochs order by number desc limit 1)`,
      );
      return result.rows[0].producers >= webs.length;
    },
    15_000,
  );
}

/** Checks that an edit takes effect at once in the web process that makes it, and within 2 s in the other. */
async function checkEdit({ webs, client, problems }: Stack, code: string): Promise<void> {
  const target = 'https://edited.example/';
  const { status } = await client(webs[0]).patch(`/api/v1/urls/${code}`, { original_url: target });
  if (status !== 200) problems.push(`an edit was answered with ${status}`);
  const shows = async (web: Stack['webs'][number]) =>
    (await client(web).head(`/${code}`)).headers.get('location') === target;
  if (!(await shows(webs[0]))) problems.push('an edit did not take effect at once');
  await waitUntil(
    'an edit takes effect in the other process',
    async () => await shows(webs[1]),
    followsWithinMs,
  ).catch((error: Error) => problems.push(error.message));
}

/** Visits short URLs that reuse the IDs of lost ones; the final check covers their clicks. */
async function checkReusedIds(stack: Stack, { turn, lostIds }: { turn: number; lostIds: Set<number> }) {
  const begin = `reused-${turn}-`;
  await insertUrls(stack.db, { begin, count: lostUrls, areClicked: false });
  const rows = await stack.db('urls').whereLike('short_code', `${begin}%`).select('id', 'short_code');
  const reused = rows.filter(({ id }) => lostIds.has(id)).length;
  stack.print(`${reused} of ${lostUrls} ids were issued again`);
  if (reused === 0) throw new Error('no id was issued again');
  await visitAll(
    stack,
    rows.map((row) => row.short_code as string),
  );
}

/** Visits each short code several times at each web process. */
async function visitAll({ webs, tally }: Stack, codes: string[]): Promise<void> {
  const times = 5;
  for (const { baseUrl } of webs) {
    const visits = await sendRedirects(baseUrl, Array.from({ length: times }, () => codes).flat());
    addTo(tally, visits);
  }
}

function addTo(tally: Tally, { sent, answered, failures }: Tally): void {
  for (const [code, count] of sent) tally.sent.set(code, (tally.sent.get(code) ?? 0) + count);
  for (const [code, count] of answered) tally.answered.set(code, (tally.answered.get(code) ?? 0) + count);
  tally.failures.push(...failures);
}

const guarantee =
  'after 2 s all redirects must be answered and match the database; edits must take effect at once; only clicks that the lost part had counted may be missing, ' +
  'and no click may be counted twice or on another short URL';

export const postgresRestored: Fault = {
  name: 'postgres-restored',
  description: `a dump of the database, a few seconds old, is restored while the service runs; ${guarantee}`,
  times: 2,
  losesDatabase: true,
  inject: loseDatabase(takeDump),
};

export const postgresStandbyPromoted: Fault = {
  name: 'postgres-standby-promoted',
  description: `PostgreSQL gets SIGKILL, and a standby that is a few seconds behind replaces it and is promoted; ${guarantee}`,
  times: 1,
  losesDatabase: true,
  inject: loseDatabase(takeStandby),
};
