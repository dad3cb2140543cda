import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll } from 'vitest';
import { readSlowness } from '../processes/slowness.ts';
import { track } from '../resources.ts';
import { openBrowser } from './browser.ts';

/** A browser page for a test file. Its actions time out after `timeoutMs`, times the slowness of the machine. */
export function useBrowserPage(options: BrowserContextOptions, timeoutMs = 20_000) {
  let browser: Browser;
  let page: Page;
  let closed: () => void;
  /** Origins of all requests of the page. */
  const origins = new Set<string>();
  /** Errors in the console with their address, including violations of the content security policy; without answers 503 while
   *  the machine is busy. */
  const complaints: string[] = [];

  beforeAll(async () => {
    browser = await openBrowser();
    closed = track('browser');
    page = await browser.newPage(options);
    page.setDefaultTimeout(timeoutMs * readSlowness());
    page.on('request', (request) => origins.add(new URL(request.url()).origin));
    page.on('console', (message) => {
      const text = message.text();
      const isOverload =
        /status of 503|MIME type \('application\/problem\+json'\)/.test(text) && readSlowness() > 3;
      if (message.type() === 'error' && !isOverload) complaints.push(`${text} ${message.location().url}`);
    });
    page.on('pageerror', (error) => void complaints.push(error.message));
  });
  afterAll(async () => {
    await browser?.close();
    closed?.();
  });

  return { browser: () => browser, page: () => page, origins, complaints };
}
