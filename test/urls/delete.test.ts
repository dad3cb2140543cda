import { describe, expect, test } from 'vitest';
import { createUrlCleanupStore } from '../../src/urls/store/cleanup-store.ts';
import { CodeDeleted, UrlNotFound } from '../../src/urls/url.ts';
import { input, newCode, useUrls } from '../support/urls/open-urls.ts';

const { db, openUrls, owner } = useUrls();

describe('delete', () => {
  test('a deleted short URL is not found, and its code stays taken until the purge', async () => {
    const { urls } = openUrls();
    const customCode = newCode();
    const first = (await urls.create(input({ customCode }), owner())).url;
    await urls.delete(customCode, null);
    await expect(urls.resolve(customCode, Date.now())).rejects.toThrow(UrlNotFound);
    await expect(urls.getWithClicks(customCode, null, new Date())).rejects.toThrow(UrlNotFound);
    await expect(urls.delete(customCode, null)).rejects.toThrow(UrlNotFound);
    await expect(urls.create(input({ customCode }), owner())).rejects.toThrow(CodeDeleted);

    const later = new Date(Date.now() + 1_000);
    expect(await createUrlCleanupStore(db()).purge(later, 0, 0, 1_000)).toBeGreaterThan(0);
    const second = (await urls.create(input({ customCode }), owner())).url;
    expect(second.version).toBeGreaterThan(first.version);
    // The tombstone of the first one is older.
    expect(await urls.resolve(customCode, Date.now())).toMatchObject({ id: second.id });
  });

  test('one of ten concurrent deletions succeeds, the others find nothing', async () => {
    const { urls } = openUrls();
    const { shortCode } = (await urls.create(input(), owner())).url;
    const results = await Promise.allSettled(Array.from({ length: 10 }, () => urls.delete(shortCode, null)));
    expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(1);
    for (const result of results.filter((one) => one.status === 'rejected'))
      expect(result.reason).toBeInstanceOf(UrlNotFound);
  });

  test('an invalid short code is not found', async () => {
    const { urls } = openUrls();
    for (const code of ['', 'a b c d', 'abcd\0', 'a'.repeat(33), 'admin']) {
      await expect(urls.delete(code, null)).rejects.toThrow(UrlNotFound);
      await expect(urls.getWithClicks(code, null, new Date())).rejects.toThrow(UrlNotFound);
    }
  });
});
