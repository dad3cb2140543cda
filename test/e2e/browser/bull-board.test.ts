import { expect, test } from 'vitest';
import { jobNames } from '../../../src/queues/jobs.ts';
import { useBrowserPage } from '../../support/http/browser-page.ts';
import { requestJob } from '../../support/jobs.ts';
import { useService } from '../../support/processes/service.ts';
import { waitUntil } from '../../support/wait-until.ts';

const login = { username: 'operator', password: 'a-long-password' };
const service = useService({ BULL_BOARD_USER: login.username, BULL_BOARD_PASSWORD: login.password });
const board = () => `${service.baseUrl()}/admin/queues`;
const { browser, page, origins, complaints } = useBrowserPage({ httpCredentials: login }, 10_000);

/** The job whose ID is the last segment of an API path. */
const idOf = (path: string) => path.split('/').at(-1) ?? '';

async function untilFailed(path: string) {
  await waitUntil(
    'the job has failed',
    async () => (await service.client().get(path)).body['state'] === 'failed',
  );
}

test('the board shows every queue after a valid login and nothing after an invalid one', async () => {
  const unauthorized = await browser().newPage({
    httpCredentials: { ...login, password: 'another-password' },
  });
  expect((await unauthorized.goto(board()))?.status()).toBe(401);
  expect(await unauthorized.content()).not.toContain('replenish-keys');
  await unauthorized.close();

  expect((await page().goto(board()))?.status()).toBe(200);
  for (const name of jobNames) {
    await page().getByRole('main').getByText(name, { exact: true }).waitFor();
  }
});

test('the progress bar of a running replenish-keys job advances until it is full', async () => {
  const path = await requestJob(service.client(), 'replenish-keys', { target: 1_000_000 });
  await page().goto(`${board()}/queue/replenish-keys/${idOf(path)}`);
  const bar = page().getByRole('main').getByRole('progressbar').first();
  const seen: number[] = [];
  await waitUntil(
    'the progress bar is full',
    async () => {
      seen.push(Number(await bar.getAttribute('aria-valuenow')));
      return seen.at(-1) === 100;
    },
    30_000,
  );
  expect(new Set(seen.filter((value) => value > 0 && value < 100)).size).toBeGreaterThan(0);
  expect(seen).toEqual(seen.toSorted((a, b) => a - b));
  await page().getByText('1000000').first().waitFor();
});

test('a job added from the page runs with the entered data', async () => {
  await page().goto(`${board()}/queue/warm-cache`);
  await addJob('{"limit": 123}');
  const job = await waitUntil('the added job is completed', async () => {
    const jobs = await listJobs('warm-cache', 'completed');
    return jobs.find(({ data }) => data['limit'] === 123);
  });
  expect(job.returnValue).toMatchObject({ urls: 0 });
});

test('a job added from the page with invalid data fails permanently with the reason', async () => {
  await page().goto(`${board()}/queue/replenish-keys`);
  await addJob('{"target": "many"}');
  await page().goto(`${board()}/queue/replenish-keys?status=failed`);
  await page().getByText('invalid job data: target').first().waitFor();
  const [job] = await listJobs('replenish-keys', 'failed');
  expect(job).toMatchObject({ data: { target: 'many' }, attempts: 1 });
});

test('a failed job shows its error, and its Retry button runs it again', async () => {
  const db = service.database.db();
  await db.schema.renameTable('url_stats', 'url_stats_away');
  const path = await requestJob(service.client(), 'warm-cache');
  await untilFailed(path);
  await db.schema.renameTable('url_stats_away', 'url_stats');

  await page().goto(`${board()}/queue/warm-cache/${idOf(path)}`);
  await page().getByText('relation "url_stats" does not exist').first().waitFor();
  await page().getByRole('main').locator('button:has(.lucide-refresh-cw)').click();
  await page()
    .getByRole('dialog')
    .or(page().getByRole('alertdialog'))
    .getByRole('button', { name: 'Confirm' })
    .click();
  const retried = await waitUntil('the retried job is completed', async () => {
    const { body } = await service.client().get(path);
    return body['state'] === 'completed' && body;
  });
  expect(retried).toMatchObject({ error: null, result: { urls: 0 } });
});

test('no page sends a request to another host or logs a console error', () => {
  expect([...origins]).toEqual([service.baseUrl()]);
  expect(complaints).toEqual([]);
});

/** Fills in the form of the queue whose page is open. */
async function addJob(data: string) {
  await page().getByRole('main').locator('[aria-haspopup=menu]').click();
  await page().getByRole('menuitem', { name: 'Add job' }).click();
  const dialog = page().getByRole('dialog');
  await dialog.getByRole('textbox').and(page().locator('[contenteditable=true]')).first().click();
  await page().keyboard.press('ControlOrMeta+A');
  await page().keyboard.insertText(data);
  await dialog.getByRole('button', { name: 'Add' }).click();
  await dialog.waitFor({ state: 'hidden' });
}

interface BoardJob {
  data: Record<string, unknown>;
  returnValue: unknown;
  attempts: number;
}

/** The jobs of a queue in the API responses of the board. */
async function listJobs(queue: string, status: string): Promise<BoardJob[]> {
  const authorization = `Basic ${Buffer.from(`${login.username}:${login.password}`).toString('base64')}`;
  const query = `activeQueue=${queue}&status=${status}&page=1&jobsPerPage=50`;
  const { body } = await service.client(null).get(`/admin/queues/api/queues?${query}`, { authorization });
  const queues = body['queues'] as { name: string; jobs: BoardJob[] }[];
  return queues.find(({ name }) => name === queue)?.jobs ?? [];
}
