import fc from 'fast-check';
import { expect, test } from 'vitest';
import { defaultSettings, type ShortUrl } from '../../../../src/urls/url.ts';
import { createMemoryUrlStores } from './memory-stores.ts';
import { useRealUrlStores } from './real-stores.ts';
import type { UrlStores } from './stores.ts';
import { openRealCache } from './web.ts';

const codes = ['code-a', 'code-b'];
const openRealStores = useRealUrlStores(codes);

const byCode = (one: { shortCode: string } | undefined, other: { shortCode: string } | undefined) =>
  one!.shortCode.localeCompare(other!.shortCode);

interface Command {
  name: keyof ReturnType<typeof createCommands>;
  code: string;
  version: number;
}

/** All commands on the stores, with results that are comparable although ids and versions differ. */
function createCommands({ table, redis, prefix, ownerId, faults }: UrlStores) {
  const cache = openRealCache(redis, prefix);
  let urls = 0;
  const newUrl = () => `https://example.com/${(urls += 1)}`;
  const past = new Date(0);
  const makeUrl = (shortCode: string, version: number): ShortUrl => ({
    id: version,
    shortCode,
    originalUrl: `https://example.com/version-${version}`,
    createdAt: past,
    updatedAt: past,
    ...defaultSettings,
    createdBy: null,
    isActive: true,
    version,
  });
  // Aliases are undefined where they are not read; this test renames nothing.
  const shown = (url: ShortUrl | undefined) =>
    url && { ...url, aliases: url.aliases ?? [], id: 0, version: 0, createdAt: 0, updatedAt: 0 };
  const insert = async (shortCode: string, expiresAt: Date | null) => {
    const input = { shortCode, expiresAt, codeIsGenerated: false, createdBy: ownerId };
    const inserted = await table.insertMany([
      { ...input, originalUrl: newUrl() },
      { ...input, originalUrl: newUrl() },
    ]);
    return inserted.map(shown);
  };
  return {
    insert: async (code: string) => await insert(code, null),
    'insert for a while': async (code: string) => await insert(code, past),
    'find row': async (code: string) => shown(await table.findByCode(code)),
    delete: async (code: string) => typeof (await table.delete(code, null))?.version,
    restore: async (code: string) => shown(await table.restore(code, null)),
    change: async (code: string) => shown(await table.change(code, { originalUrl: newUrl() }, null)),
    'change another version': async (code: string) => await table.change(code, { title: 'new' }, null, [-1]),
    revive: async (code: string) => shown(await table.change(code, { expiresAt: null, title: 'new' }, null)),
    disable: async (code: string) => shown(await table.change(code, { isActive: false }, null)),
    expire: async () => (await table.disableExpired(new Date(), 10)).map(shown).toSorted(byCode),
    purge: async () => await table.purgeDeleted(),
    find: async (code: string) => await cache.find(code),
    put: async (code: string, version: number) => await cache.put(makeUrl(code, version)),
    create: async (code: string, version: number) => await cache.create(makeUrl(code, version)),
    putTombstones: async (shortCode: string, version: number) =>
      await cache.putTombstones([{ shortCode, version }], 'expired'),
    'put unknown': async (code: string) => await cache.putUnknown(code),
    'lose data': async () => await faults['loses everything'](),
    copy: async () => await faults['is copied'](),
    'roll back': async () => await faults['is rolled back to the copy'](),
  };
}

/** Returns the results of the commands, the published changes, and the final state. */
async function run(stores: UrlStores, script: Command[]) {
  const published: string[] = [];
  const end = await stores.subscribe((version, shortCode) => published.push(`${version} ${shortCode}`));
  const commands = createCommands(stores);
  const results: unknown[] = [];
  for (const { name, code, version } of script) results.push(await commands[name](code, version));
  for (const code of codes) results.push(await commands['find row'](code), await commands.find(code));
  await end();
  return { results, published };
}

test('the stores in memory behave as Redis and PostgreSQL for any sequence of commands', async () => {
  const names = Object.keys(createCommands(createMemoryUrlStores())) as Command['name'][];
  const command = fc.record({
    name: fc.constantFrom(...names),
    code: fc.constantFrom(...codes),
    version: fc.integer({ min: 1, max: 4 }),
  });
  const script = fc.array(command, { minLength: 10, maxLength: 30, size: 'max' });
  await fc.assert(
    fc.asyncProperty(script, async (commands) => {
      const real = await run(await openRealStores(), commands);
      expect(await run(createMemoryUrlStores(), commands)).toEqual(real);
    }),
    { numRuns: 50 },
  );
});
