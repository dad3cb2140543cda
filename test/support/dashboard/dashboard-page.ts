import type { Page } from 'playwright-core';
import { beforeAll } from 'vitest';
import { useBrowserPage } from '../http/browser-page.ts';
import { useService } from '../processes/service.ts';

/** A service with the dashboard, and a browser that has not signed in. */
export function useDashboard(settings: Record<string, string> = {}) {
  const service = useService(settings);
  const browserPage = useBrowserPage({
    viewport: { width: 1280, height: 800 },
    permissions: ['clipboard-read', 'clipboard-write'],
  });
  const { page } = browserPage;
  return {
    ...service,
    ...browserPage,
    admin: (path = '/') => `${service.baseUrl()}/admin${path}`,
    /** Opens a screen, and waits until it has loaded. */
    async open(path = '/') {
      await page().goto(`${service.baseUrl()}/admin${path}`);
      await page().locator('main .screen h1').waitFor();
      await page().waitForLoadState('networkidle');
    },
    copied: async () => await page().evaluate<string>('navigator.clipboard.readText()'),
    /** Creates short URLs over the API. */
    async create(...urls: Record<string, unknown>[]) {
      const { body } = await service.client().post('/api/v1/urls/bulk', { urls });
      return (body['results'] as { url: { short_code: string; id: number } }[]).map(({ url }) => url);
    },
  };
}

/** Signs in with an API key. */
export async function signIn(page: Page, address: string, apiKey: string): Promise<void> {
  await page.goto(address);
  await page.getByLabel('API key').fill(apiKey);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.locator('main .screen h1').waitFor();
}

/** A service with the dashboard, and a browser that has signed in. */
export function useSignedIn(settings: Record<string, string> = {}) {
  const dashboard = useDashboard(settings);
  beforeAll(async () => {
    await signIn(dashboard.page(), dashboard.admin(), dashboard.apiKey());
    // The first request of a page without a session answers 401, which the console shows.
    dashboard.complaints.length = 0;
  });
  return dashboard;
}
