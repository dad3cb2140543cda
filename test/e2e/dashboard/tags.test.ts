import { beforeAll, expect, test } from 'vitest';
import { findViolations } from '../../support/dashboard/axe.ts';
import { useSignedIn } from '../../support/dashboard/dashboard-page.ts';
import { waitUntil } from '../../support/wait-until.ts';

const { page, open, create, client, complaints } = useSignedIn();
const row = (code: string) => page().locator(`.row[data-code="${code}"]`);
const bar = () => page().getByRole('region', { name: 'Selected links' });
const dialog = () => page().getByRole('dialog');
const tagsOf = async (code: string) => (await client().get(`/api/v1/urls/${code}`)).body['tags'];

async function changeTags(action: string, tags: string) {
  await bar().getByRole('button', { name: action }).click();
  await dialog().getByLabel('Tags').fill(tags);
  await dialog().getByRole('button', { name: 'Apply' }).click();
}

beforeAll(async () => {
  await create(
    { original_url: 'https://example.com/1', custom_code: 'tag-one', tags: ['spring'] },
    { original_url: 'https://example.com/2', custom_code: 'tag-two', tags: ['spring', 'news'] },
    { original_url: 'https://example.com/3', custom_code: 'tag-three' },
  );
});

test('tags are added to and removed from the selected links, and keep their other tags', async () => {
  await open();
  await row('tag-one').getByRole('checkbox').check();
  await row('tag-three').getByRole('checkbox').check();
  await changeTags('Add tag', 'sale, news');
  await row('tag-three').getByText('sale').waitFor();
  expect(await tagsOf('tag-one')).toEqual(['spring', 'sale', 'news']);
  expect(await tagsOf('tag-three')).toEqual(['sale', 'news']);
  await changeTags('Remove tag', 'sale');
  await row('tag-three').getByText('sale').waitFor({ state: 'detached' });
  expect(await tagsOf('tag-one')).toEqual(['spring', 'news']);
});

test('tags are changed on all links that match a filter, also on other pages', async () => {
  await create(
    ...Array.from({ length: 60 }, (_, i) => ({
      original_url: `https://example.com/many/${i}`,
      custom_code: `many-${i}`,
      tags: ['many'],
    })),
  );
  await open('/?tag=many');
  await row('many-59').waitFor();
  await page().getByRole('checkbox', { name: 'Select this page' }).check();
  await bar()
    .getByRole('button', { name: /that match/ })
    .click();
  await changeTags('Add tag', 'everywhere');
  await page().getByText('60 links changed').first().waitFor();
  const { body } = await client().get('/api/v1/urls?tag=everywhere&limit=200');
  expect(body['items']).toHaveLength(60);
  expect(await tagsOf('many-0')).toEqual(['many', 'everywhere']);
  await waitUntil('they are still selected', async () => await bar().isVisible());
});

test('a tag is renamed, also into one that exists, and removed from all links', async () => {
  await open('/tags');
  const tag = (name: string) => page().getByRole('row', { name });
  await page().getByRole('button', { name: 'Rename spring' }).click();
  await dialog().getByLabel('New name').fill('news');
  await dialog().getByRole('button', { name: 'Save' }).click();
  await page().getByText('Renamed to news').first().waitFor();
  await tag('spring').waitFor({ state: 'detached' });
  expect(await tagsOf('tag-two')).toEqual(['news']);
  expect(await tagsOf('tag-one')).toEqual(['news']);

  await page().getByRole('button', { name: 'Remove news from all links' }).click();
  await dialog().getByRole('button', { name: 'Remove tag' }).click();
  await page().getByText('Removed news').first().waitFor();
  await tag('news').waitFor({ state: 'detached' });
  expect(await tagsOf('tag-two')).toEqual([]);
  expect(await findViolations(page())).toEqual([]);
});

test('no console error is logged', () => {
  expect(complaints).toEqual([]);
});
