import { afterEach, expect, test } from 'vitest';
import { createBlockedHosts } from '../../../src/urls/blocklist/blocklist.ts';
import { parseBlockedHost } from '../../../src/urls/blocklist/service.ts';
import { createBlockedHostStore } from '../../../src/urls/blocklist/store.ts';
import { watchBlockedHosts } from '../../../src/urls/blocklist/watch.ts';
import type { CachedUrl } from '../../../src/urls/cache/entry.ts';
import { silentLog, useDatabase } from '../../support/resources.ts';
import { waitUntil } from '../../support/wait-until.ts';

const database = useDatabase();
const details = { reason: null, createdBy: null };

let stop: () => void;
afterEach(async () => {
  stop();
  await database.db().raw('truncate blocked_hosts');
});

/** The blocklist of a process on the real table, which fails while `isUnavailable` is true. */
function open() {
  const store = createBlockedHostStore(database.db());
  const state = { isUnavailable: false, changes: 0 };
  const blockedHosts = createBlockedHosts({
    store: {
      readIfChanged: async (knownVersion) => {
        if (state.isUnavailable) throw new Error('Connection terminated unexpectedly');
        return await store.readIfChanged(knownVersion);
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
  await opened.add(hosts, details);
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
])('a blocked host includes its subdomains and no other host: %s', async (url, isBlocked) => {
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
])('a host is normalised to a form that the table accepts: %j', async (text, host) => {
  expect(parseBlockedHost(text)).toBe(host);
  expect(await open().add([host], details)).toBe(1);
});

test('a text that is not exactly a host name is rejected', () => {
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

test('an external change is applied within 2 s and reported once', async () => {
  const { blockedHosts, state } = open();
  await blockedHosts.refresh();
  expect(state.changes).toBe(1);
  await database.db().raw(`insert into blocked_hosts (host) values ('late.example')`);
  await waitUntil('the host is blocked', () => blockedHosts.isBlocked('https://late.example/'), 2_000);
  await blockedHosts.refresh();
  expect(state.changes).toBe(2);
  await database.db().raw('truncate blocked_hosts');
  await blockedHosts.refresh();
  expect(blockedHosts.isBlocked('https://late.example/')).toBe(false);
});

test('an external write is normalised, and an invalid host is ignored', async () => {
  const { blockedHosts } = await block('[::ffff:c000:201]', '[::::]', 'bad.example');
  for (const url of ['http://192.0.2.1/', 'http://[::ffff:192.0.2.1]/', 'https://bad.example/'])
    expect(blockedHosts.isBlocked(url), url).toBe(true);
});

test('the list stays in effect while PostgreSQL is unavailable, and is updated afterwards', async () => {
  const { blockedHosts, poll, state, add } = await block('bad.example');
  state.isUnavailable = true;
  await add(['worse.example'], details);
  await poll();
  expect(blockedHosts.isBlocked('https://bad.example/')).toBe(true);
  expect(blockedHosts.isBlocked('https://worse.example/')).toBe(false);
  state.isUnavailable = false;
  await waitUntil('the host is blocked', () => blockedHosts.isBlocked('https://worse.example/'));
});

test('evaluate removes a blocked fallback URL, and blocks a blocked original URL', async () => {
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
  const evaluate = (url: CachedUrl) => blockedHosts.evaluate({ url, version: 7 });
  expect(evaluate(urlWith(good, bad))).toMatchObject({ url: { rules: { fallbackUrl: null } }, version: 7 });
  expect(evaluate(urlWith(bad, good))).toEqual({ blocked: urlWith(bad, good), version: 7 });
  expect(evaluate(urlWith(good, good))).toEqual({ url: urlWith(good, good), version: 7 });
});
