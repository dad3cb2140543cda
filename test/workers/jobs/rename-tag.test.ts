import { expect, test } from 'vitest';
import { createTagStore } from '../../../src/urls/tags/tag-store.ts';
import { renameTag } from '../../../workers/jobs/urls/rename-tag.ts';
import { createJobContext } from '../../support/job-context.ts';
import { useDatabase } from '../../support/resources.ts';
import { insertUrls } from '../../support/urls/urls.ts';

const database = useDatabase();
const change = { tag: 'old', name: 'new', owner: null };

/** The job with the codes that it refreshes in the cache. */
const createDeps = () => {
  const refreshed: string[] = [];
  const refreshCache = async (codes: string[]) => {
    refreshed.push(...codes);
    return codes.length;
  };
  return { tagStore: createTagStore(database.db()), refreshCache, refreshed };
};

test('an interrupted job continues where it stopped, and each short URL changes once', async () => {
  const db = database.db();
  await insertUrls(db, { begin: 'job-', count: 1_100, areClicked: false });
  await db('urls').update({ tags: ['old'] });
  const [first, second] = [createDeps(), createDeps()];
  const context = createJobContext();
  const reportProgress = async (percent: number) => {
    if (percent >= 40) context.stop();
  };
  expect(await renameTag(first, change, { ...context, reportProgress })).toEqual({
    changed: 500,
    interrupted: true,
  });
  const last = createJobContext();
  expect(await renameTag(second, change, last)).toEqual({ changed: 600, interrupted: false });
  expect(last.reported.at(-1)).toBe(100);
  expect(new Set([...first.refreshed, ...second.refreshed]).size).toBe(1_100);
  expect(await db('urls').distinct('tags')).toEqual([{ tags: ['new'] }]);
  expect(await db('urls').whereNull('search_text')).toEqual([]);
});

test('a job waits for a locked short URL, and concurrent jobs end without a deadlock', async () => {
  const db = database.db();
  await db('urls').update({ tags: ['old'] });
  const lock = await db.transaction();
  await lock.raw(`select 1 from urls where short_code = 'job-7' for update`);
  const jobs = Promise.all([
    renameTag(createDeps(), change, createJobContext()),
    renameTag(createDeps(), { ...change, name: null }, createJobContext()),
  ]);
  await lock.rollback();
  const results = await jobs;
  expect(results[0].changed + results[1].changed).toBe(1_100);
  expect(await createTagStore(db).countTagged(change)).toBe(0);
});
