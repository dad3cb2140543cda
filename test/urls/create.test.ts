import { describe, expect, test } from 'vitest';
import { createKeyGenerator } from '../../src/keys/key-generator.ts';
import { createKeyStore } from '../../src/keys/key-store.ts';
import { InputRejected } from '../../src/urls/input/rules.ts';
import { CodeTaken } from '../../src/urls/url.ts';
import { input, newCode, originalUrl, useUrls } from '../support/urls/open-urls.ts';

const { db, openUrls, otherOwner, owner } = useUrls();

describe('create', () => {
  test('a rejected URL stores nothing and takes no key', async () => {
    const { urls, pool } = openUrls();
    await pool.add(['keyAAA1']);
    const wrong = { ...input(), originalUrl: 'javascript:alert(1)' };
    await expect(urls.create(wrong, owner())).rejects.toThrow(InputRejected);
    expect(await pool.size()).toBe(1);
  });

  test('a key that is already a custom code is skipped', async () => {
    for (const keys of [
      ['keyBBB1', 'keyBBB2'],
      ['keyBBB4', 'keyBBB3'],
    ]) {
      const { urls, pool } = openUrls();
      const taken = keys.find((key) => /[13]$/.test(key))!;
      const free = keys.find((key) => key !== taken)!;
      await urls.create(
        { ...input({ customCode: taken }), originalUrl: 'https://example.com/first' },
        otherOwner(),
      );
      await pool.add(keys);
      const created = [await urls.create(input(), owner()), await urls.create(input(), owner())];
      expect(created[0]!.url.shortCode).toBe(free);
      // The pool is empty by now, so the second key comes from the generator.
      expect(keys).not.toContain(created[1]!.url.shortCode);
      expect(await urls.resolve(taken, Date.now())).toMatchObject({
        originalUrl: 'https://example.com/first',
      });
    }
  });

  test('within one statement, the API key of a reservation gets its code', async () => {
    const { store, keys } = openUrls();
    const [shortCode] = (await keys.reserve(1, owner())) as [string];
    const wanted = [otherOwner(), owner()].map((createdBy) => ({
      shortCode,
      originalUrl,
      codeIsGenerated: false,
      expiresAt: null,
      createdBy,
    }));
    const [first, second] = await store.insertMany(wanted);
    expect(first).toBeUndefined();
    expect(second).toMatchObject({ shortCode, originalUrl });
  });

  test('one of twenty concurrent creates gets a custom code, the others get CodeTaken', async () => {
    const { urls } = openUrls();
    const customCode = newCode();
    const results = await Promise.allSettled(
      Array.from({ length: 20 }, (_, i) =>
        urls.create({ ...input({ customCode }), originalUrl: `${originalUrl}/${i}` }, owner()),
      ),
    );
    const winners = results.filter((result) => result.status === 'fulfilled');
    const reasons = results.filter((result) => result.status === 'rejected').map((result) => result.reason);
    expect(winners).toHaveLength(1);
    expect(reasons.every((reason) => reason instanceof CodeTaken)).toBe(true);
    expect(await urls.resolve(customCode, Date.now())).toMatchObject({
      originalUrl: winners[0]!.value.url.originalUrl,
    });
    const stored = await db()('urls').where({ short_code: customCode });
    expect(stored).toHaveLength(1);
    expect(await db()('url_stats').where({ url_id: stored[0].id })).toHaveLength(1);
  });

  test('a reserved key can be used once, and only by its API key', async () => {
    const { urls, keys } = openUrls();
    const [customCode] = (await keys.reserve(1, owner())) as [string];
    await expect(urls.create(input({ customCode }), otherOwner())).rejects.toThrow(CodeTaken);
    expect((await urls.create(input({ customCode }), owner())).url.shortCode).toBe(customCode);
    await expect(urls.create(input({ customCode }), owner())).rejects.toThrow(CodeTaken);
    expect(await db()('reserved_keys').where({ short_code: customCode })).toEqual([]);
  });
});

test('a create succeeds even if every key of the pool is a custom code', async () => {
  const { urls, pool } = openUrls();
  const taken = Array.from({ length: 50 }, newCode);
  for (const customCode of taken) await urls.create(input({ customCode }), owner());
  await pool.add(taken);
  const { shortCode } = (await urls.create(input(), owner())).url;
  expect(taken).not.toContain(shortCode);
});

test('failed creates consume no keys', async () => {
  const { urls, pool } = openUrls();
  await pool.add(await createKeyGenerator(db()).createKeys(300, 'pool'));
  const before = await pool.size();
  const unknownApiKey = 999_999;
  for (let i = 0; i < 150; i++)
    await expect(urls.create(input(), unknownApiKey)).rejects.toThrow('foreign key');
  expect(await pool.size()).toBe(before - 100);
});

test('a returned key that became a custom code does not return to the pool', async () => {
  const { urls, keys } = openUrls();
  const store = createKeyStore(db());
  const [used, unused] = (await keys.reserve(2, owner())) as [string, string];
  await keys.release([used, unused], owner());
  await urls.create(input({ customCode: used }), owner());
  const returned = await store.takeReturned(1_000);
  expect(returned).not.toContain(used);
  expect(returned).toContain(unused);
});
