import { afterEach, expect, test } from 'vitest';
import { createBlockedHosts } from '../../../src/urls/blocklist/blocklist.ts';
import { parseBlockedHost } from '../../../src/urls/blocklist/service.ts';
import { createBlockedHostStore } from '../../../src/urls/blocklist/store.ts';
import { watchBlockedHosts } from '../../../src/urls/blocklist/watch.ts';
import type { CachedUrl } from '../../../src/urls/cache/entry.ts';
import { silentLog, useDatabase } from '../../support/resources.ts';
import { waitUntil } from '../../support/wait-until.ts';

const database = useDatabase();
const by = { reason: null, createdBy: null };

let stop: () => void;
afterEach(async () => {
  stop();
  await database.db().raw('truncate blocked_hosts');
});

/** The list of a process on the real table, which is away as long as `isAway` says so. */
function open() {
  const store = createBlockedHostStore(database.db());
  const state = { isAway: false, changes: 0 };
  const blockedHosts = createBlockedHosts({
    store: {
      readIfChanged: async (known) => {
        if (state.isAway) throw new Error('Connection terminated unexpectedly');
        return await store.readIfChanged(known);
      },
    },
    onChange: () => (state.changes += 1),
  });
  const watch = watchBlockedHosts(blockedHosts, silentLog);
  stop = watch.stop;
  return { ...store, blockedHosts, poll: watch.poll, state };
}

async function block(...hosts: string[]) {
  const opened = open();
  await opened.add(hosts, by);
  await opened.blockedHosts.refresh();
  return opened;
}

test.each([
  ['http://bad.example/', true],
  ['https://bad.example:8443/path?q#f', true],
  ['https://a.b.bad.example/', true],
  ['https://BAD.example./', true],
  ['https://user@bad.example/', true],
  ['https://bad.example%2e/', true],
  ['//bad.example/written-by-another-program', true],
  ['https:\\\\bad.example/', true],
  [' https://bad.\texample/', true],
  ['https://ｂａｄ。example/', true],
  ['https://xn--bcher-kva.example/', true],
  ['https://BÜCHER.example/', true],
  ['http://192.0.2.1/', true],
  ['http://0xc0000201/', true],
  ['http://[::ffff:192.0.2.1]/', true],
  ['http://[0:0:0:0:0:FFFF:C000:0201]/', true],
  ['http://[64:ff9b::192.0.2.1]/', true],
  ['http://[2001:DB8:0::1]/', true],
  ['https://notbad.example/', false],
  ['https://bad.example.org/', false],
  ['https://example/', false],
  ['https://good.example/bad.example', false],
  ['https://good.example/?https://bad.example/', false],
  ['http://192.0.2.10/', false],
  ['http://[::ffff:192.0.2.10]/', false],
  ['http://[2001:db8::ffff:192.0.2.1]/', false],
  ['no URL', false],
])('of the blocked host, of those below it and of no other: %s', async (url, isBlocked) => {
  const { blockedHosts } = await block('bad.example', 'xn--bcher-kva.example', '192.0.2.1', '[2001:db8::1]');
  expect(blockedHosts.isBlocked(url)).toBe(isBlocked);
});

test.each([
  ['Bad.EXAMPLE', 'bad.example'],
  ['bad.example..', 'bad.example'],
  ['bücher.example', 'xn--bcher-kva.example'],
  ['0x7f.1', '127.0.0.1'],
  ['[::FFFF:1.2.3.4]', '1.2.3.4'],
  ['[2001:DB8:0::1]', '[2001:db8::1]'],
  ['a_b.example', 'a_b.example'],
])('a host that somebody names has one spelling, which the table takes: %j', async (text, host) => {
  expect(parseBlockedHost(text)).toBe(host);
  expect(await open().add([host], by)).toBe(1);
});

test('what names no host alone is none', () => {
  stop = () => {};
  const texts = [
    '*.bad.example',
    'https://bad.example/',
    'bad.example:80',
    'user@bad.example',
    'bad..example',
    '.',
    '',
    'bad example',
    '::1',
    `${`${'a'.repeat(63)}.`.repeat(4)}example`,
  ];
  expect(texts.map(parseBlockedHost)).toEqual(texts.map(() => undefined));
});

test('a change by another program is known within 2 s, and is told once', async () => {
  const { blockedHosts, state } = open();
  await blockedHosts.refresh();
  expect(state.changes).toBe(1);
  await database.db().raw(`insert into blocked_hosts (host) values ('late.example')`);
  await waitUntil('it is known', () => blockedHosts.isBlocked('https://late.example/'), 2_000);
  await blockedHosts.refresh();
  expect(state.changes).toBe(2);
  await database.db().raw('truncate blocked_hosts');
  await blockedHosts.refresh();
  expect(blockedHosts.isBlocked('https://late.example/')).toBe(false);
});

test('what another program has written in another spelling is blocked, and what is no address harms nothing', async () => {
  const { blockedHosts } = await block('[::ffff:c000:201]', '[::::]', 'bad.example');
  for (const url of ['http://192.0.2.1/', 'http://[::ffff:192.0.2.1]/', 'https://bad.example/'])
    expect([url, blockedHosts.isBlocked(url)]).toEqual([url, true]);
});

test('while PostgreSQL is away what was blocked stays blocked, and what was blocked meanwhile is so afterwards', async () => {
  const { blockedHosts, poll, state, add } = await block('bad.example');
  state.isAway = true;
  await add(['worse.example'], by);
  await poll();
  expect(blockedHosts.isBlocked('https://bad.example/')).toBe(true);
  expect(blockedHosts.isBlocked('https://worse.example/')).toBe(false);
  state.isAway = false;
  await waitUntil('it is known', () => blockedHosts.isBlocked('https://worse.example/'));
});

test('a fallback to a blocked host is none, and the original URL decides whether a short URL is blocked', async () => {
  const { blockedHosts } = await block('bad.example');
  const urlWith = (originalUrl: string, fallbackUrl: string): CachedUrl => ({
    id: 1,
    originalUrl,
    expiresAtMs: null,
    rules: {
      startsAtMs: null,
      fallbackUrl,
      redirectStatus: null,
      redirectMaxAgeSeconds: null,
      forwardQuery: false,
      isOneTime: false,
      isProtected: false,
      maxClicks: null,
    },
  });
  const [good, bad] = ['https://good.example/', 'https://bad.example/'];
  const judge = (url: CachedUrl) => blockedHosts.evaluate({ url, version: 7 });
  expect(judge(urlWith(good, bad))).toMatchObject({ url: { rules: { fallbackUrl: null } }, version: 7 });
  expect(judge(urlWith(bad, good))).toEqual({ blocked: urlWith(bad, good), version: 7 });
  expect(judge(urlWith(good, good))).toEqual({ url: urlWith(good, good), version: 7 });
});
