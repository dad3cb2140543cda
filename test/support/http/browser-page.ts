import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll } from 'vitest';
import { readSlowness } from '../processes/slowness.ts';
import { track } from '../resources.ts';
import { openBrowser } from './browser.ts';

/** A page of a browser for a test file, with what there is to hold against it; it fails to find something after `timeoutMs`, times the slowness of the machine; it is there once the tests run. */
export function useBrowserPage(options: BrowserContextOptions, timeoutMs = 20_000) {
  let browser: Browser;
  let page: Page;
  let closed: () => void;
  /** The origin of everything that the page asked for. */
  const origins = new Set<string>();
  /** Errors in the browser's console, among them what the content security policy forbids. */
  const complaints: string[] = [];

  beforeAll(async () => {
    browser = await openBrowser();
    closed = track('browser');
    page = await browser.newPage(options);
    page.setDefaultTimeout(timeoutMs * readSlowness());
    page.on('request', (request) => origins.add(new URL(request.url()).origin));
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text());
    });
    page.on('pageerror', (error) => void complaints.push(error.message));
  });
  afterAll(async () => {
    await browser?.close();
    closed?.();
  });

  return { browser: () => browser, page: () => page, origins, complaints };
}
