import { beforeAll, expect, test } from 'vitest';
import { findViolations } from '../../support/dashboard/axe.ts';
import { useBrowserPage } from '../../support/http/browser-page.ts';
import { useWeb } from '../../support/http/web-app.ts';
import { insertRestrictedUrl, type RestrictedUrl } from '../../support/urls/restricted-urls.ts';

const web = useWeb({
  HOME_URL: 'https://example.com/',
  CONTACT_URL: 'mailto:links@example.com',
  SITE_NAME: 'Example links',
});
const { page, complaints } = useBrowserPage({ viewport: { width: 1280, height: 800 } });
const insert = async (url: RestrictedUrl) => await insertRestrictedUrl(web.database.db(), url);
const long = `https://${'a-rather-long-host-name-'.repeat(2)}.example.com/${'long-'.repeat(60)}?utm_source=newsletter`;

/** Paths by name. */
let paths: Record<string, string>;
beforeAll(async () => {
  const gated = await insert({ password: 'open sesame', isOneTime: true });
  const exhausted = await insert({ maxClicks: 1 });
  await fetch(`${web.baseUrl()}/${exhausted}`, { redirect: 'manual' });
  await web.client().post('/api/v1/blocked-hosts', { hosts: ['blocked.example'] });
  const expiresAt = new Date('2099-12-31T23:59:00Z');
  paths = {
    'not-found': 'spring-sale',
    'long-code': 'x'.repeat(64),
    expired: await insert({ expiresAt: new Date(0) }),
    exhausted,
    blocked: await insert({ originalUrl: 'https://blocked.example/' }),
    password: gated,
    'one-time': await insert({ isOneTime: true }),
    'hidden-preview': `${gated}+`,
    preview: `${await insert({ title: 'Spring sale', expiresAt, originalUrl: 'https://example.com/spring' })}+`,
    'international-preview': `${await insert({ originalUrl: 'https://xn--80ak6aa92e.com/login' })}+`,
    'long-preview': `${await insert({ originalUrl: long })}+`,
    report: 'report?code=spring',
    home: '',
  };
});

for (const language of ['en', 'de']) {
  test(`pages in ${language} have no accessibility violation in any width and colour scheme`, async () => {
    await page().setExtraHTTPHeaders({ 'accept-language': language });
    for (const [name, path] of Object.entries(paths)) {
      await page().goto(`${web.baseUrl()}/${path}`);
      expect(await page().locator('html').getAttribute('lang'), name).toBe(language);
      expect(await page().locator('h1').count(), name).toBe(1);
      for (const width of [1280, 320]) {
        await page().setViewportSize({ width, height: 640 });
        for (const colorScheme of ['light', 'dark'] as const) {
          await page().emulateMedia({ colorScheme });
          const where = `${name} ${width} ${colorScheme}`;
          expect({ where, violations: await findViolations(page()) }).toEqual({ where, violations: [] });
          const overflow = await page().evaluate<number>('document.documentElement.scrollWidth - innerWidth');
          expect({ where, overflow: Math.max(overflow, 0) }).toEqual({ where, overflow: 0 });
        }
      }
    }
  });
}

test('pages load their icon, and nothing violates their content security policy', () => {
  expect(complaints.filter((text) => !/status of 4(?:04|10|51)/.test(text))).toEqual([]);
});
