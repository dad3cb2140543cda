import { beforeAll, expect, test } from 'vitest';
import { findViolations } from '../../support/dashboard/axe.ts';
import { useSignedIn } from '../../support/dashboard/dashboard-page.ts';
import { waitUntil } from '../../support/wait-until.ts';

const { page, open, create, client, baseUrl, complaints } = useSignedIn();

const screens = [
  '/',
  '/links/axe-1',
  '/analytics',
  '/live',
  '/operations',
  '/keys',
  '/transfers',
  '/tags',
  '/reports',
  '/no-such-page',
];
const widths = [1280, 390, 320];
const schemes = ['light', 'dark'] as const;

beforeAll(async () => {
  await create(
    {
      original_url: 'https://example.com/axe',
      custom_code: 'axe-1',
      title: 'A title',
      tags: ['docs', 'news'],
    },
    { original_url: 'https://example.com/2', custom_code: 'axe-2', is_active: false, password: 'a-password' },
    { original_url: 'https://example.com/3', custom_code: 'axe-3', max_clicks: 5, expires_in_hours: 30 },
    {
      original_url: `https://example.com/${'long-'.repeat(60)}`,
      tags: ['a-rather-long-tag-without-any-space'],
    },
  );
  await client().post('/report', { code: 'axe-1', reason: 'spam', comment: 'A comment' });
  await fetch(`${baseUrl()}/axe-1`, { redirect: 'manual' });
  await fetch(`${baseUrl()}/unknown-code`);
  await waitUntil(
    'the click is counted',
    async () => (await client().get('/api/v1/urls/axe-1')).body['click_count'] === 1,
  );
});

async function expectAccessible(where: string) {
  expect({ where, violations: await findViolations(page()) }).toEqual({ where, violations: [] });
  const overflow = await page().evaluate<number>('document.documentElement.scrollWidth - innerWidth');
  expect({ where, overflow: Math.max(overflow, 0) }).toEqual({ where, overflow: 0 });
}

for (const screen of screens) {
  test(`${screen} has no accessibility violation in any width and colour scheme`, async () => {
    await page().setViewportSize({ width: 1280, height: 800 });
    await open(screen);
    for (const width of widths) {
      await page().setViewportSize({ width, height: 800 });
      for (const colorScheme of schemes) {
        await page().emulateMedia({ colorScheme });
        await expectAccessible(`${screen} ${width} ${colorScheme}`);
      }
    }
  });
}

test('dialogs, settings and the bulk bar have no accessibility violation', async () => {
  await page().setViewportSize({ width: 390, height: 800 });
  await open('/');
  await page().getByRole('button', { name: 'Settings' }).click();
  await page().getByLabel('Select axe-1').check();
  // At the end of the list the bar covers no row.
  await page().evaluate('scrollTo(0, document.body.scrollHeight)');
  await expectAccessible('settings and bulk bar');
  await page().locator('.row').first().getByRole('button', { name: 'Show QR code' }).click();
  await page().getByRole('dialog').waitFor();
  await expectAccessible('QR code');
  await page().keyboard.press('Escape');
  await page().locator('h1').first().focus();
  await page().keyboard.press('?');
  await page().getByRole('dialog').waitFor();
  await expectAccessible('shortcuts');
  await page().keyboard.press('Escape');
  await open('/links/axe-1');
  await page().getByRole('button', { name: 'Change: Tags' }).click();
  await expectAccessible('setting');
  await open('/keys');
  await page().getByRole('button', { name: 'New key' }).click();
  await expectAccessible('new key');
});

test('the sign-in page has no accessibility violation', async () => {
  await page().context().clearCookies();
  await page().goto(`${baseUrl()}/admin/`);
  await page().getByLabel('API key').waitFor();
  for (const colorScheme of schemes) {
    await page().emulateMedia({ colorScheme });
    await expectAccessible(`sign-in ${colorScheme}`);
  }
});

test('no screen logs a console error or violates the content security policy', () => {
  expect(complaints.filter((text) => !text.includes('status of 401'))).toEqual([]);
});
