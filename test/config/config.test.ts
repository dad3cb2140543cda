import { expect, test } from 'vitest';
import { databaseSettings } from '../../src/config/database.ts';
import { ConfigError, loadConfig } from '../../src/config/load.ts';
import { ownHostsOf } from '../../src/config/own-hosts.ts';
import { webSettings } from '../../src/config/web.ts';
import { workerSettings } from '../../src/config/worker.ts';
import { needed, problemsOf } from './web-problems.ts';

test('three settings are enough for the web process, two for the worker, one for the commands', () => {
  expect(loadConfig(webSettings, needed)).toMatchObject({
    BASE_URL: 'https://sho.rt',
    PORT: 3_000,
    REDIRECT_STATUS: 301,
    ALLOW_PRIVATE_URLS: false,
    KEY_POOL_TARGET: 100_000,
    ALIAS_HOSTS: [],
  });
  const { BASE_URL, ...forWorker } = needed;
  expect(BASE_URL).toBeDefined();
  expect(loadConfig(workerSettings, forWorker)).toMatchObject({ RETENTION_DAYS: 30 });
  const { DATABASE_URL } = needed;
  expect(loadConfig(databaseSettings, { DATABASE_URL })).toEqual({ DATABASE_URL });
});

test('BULL_BOARD_PASSWORD is undefined by default', () => {
  expect(loadConfig(webSettings, needed).BULL_BOARD_PASSWORD).toBeUndefined();
});

test('numbers, booleans and lists are parsed', () => {
  const config = loadConfig(webSettings, {
    ...needed,
    PORT: '8080',
    REDIRECT_STATUS: '308',
    ALLOW_PRIVATE_URLS: 'true',
    BULL_BOARD_READ_ONLY: '1',
    ALIAS_HOSTS: ' Go.Example ,, bücher.example:8080,[2001:DB8::1]',
    CORS_ORIGINS: 'https://APP.example:443/, http://bücher.example:8080,*',
  });
  expect(config).toMatchObject({
    PORT: 8_080,
    REDIRECT_STATUS: 308,
    ALLOW_PRIVATE_URLS: true,
    BULL_BOARD_READ_ONLY: true,
    ALIAS_HOSTS: ['go.example', 'xn--bcher-kva.example:8080', '[2001:db8::1]'],
    CORS_ORIGINS: ['https://app.example', 'http://xn--bcher-kva.example:8080', '*'],
  });
});

test('an alias host without a port has the port of the base URL and the default ports', () => {
  const hostsOf = (env: Record<string, string>) => ownHostsOf(loadConfig(webSettings, { ...needed, ...env }));
  const more = { ALIAS_HOSTS: 'a.example,b.example:90,[2001:db8::1]' };
  expect(hostsOf({ BASE_URL: 'https://sho.rt', ...more })).toEqual([
    'sho.rt',
    'a.example',
    'b.example:90',
    '[2001:db8::1]',
  ]);
  expect(hostsOf({ BASE_URL: 'http://sho.rt:3000', ...more })).toEqual([
    'sho.rt:3000',
    'a.example',
    'b.example:90',
    '[2001:db8::1]',
    'a.example:3000',
    '[2001:db8::1]:3000',
  ]);
});

test('the own host of a base URL with a path includes the path', () => {
  const config = loadConfig(webSettings, {
    ...needed,
    BASE_URL: 'https://example.com:8443/go/',
    ALIAS_HOSTS: 'sho.rt',
  });
  expect(ownHostsOf(config)).toEqual(['example.com:8443/go', 'sho.rt', 'sho.rt:8443']);
});

test('COUNTRY_HEADER is a header name in any case, or unset', () => {
  expect(loadConfig(webSettings, { ...needed, COUNTRY_HEADER: 'CF-IPCountry' }).COUNTRY_HEADER).toBe(
    'cf-ipcountry',
  );
  expect(loadConfig(webSettings, { ...needed, COUNTRY_HEADER: '' }).COUNTRY_HEADER).toBeUndefined();
  expect(problemsOf({ COUNTRY_HEADER: 'CF IPCountry' })).toEqual([
    'COUNTRY_HEADER must be the name of a header, such as CF-IPCountry',
  ]);
});

test('settings are frozen', () => {
  const config = loadConfig(webSettings, needed);
  expect(Object.isFrozen(config)).toBe(true);
  expect(() => Object.assign(config, { PORT: 1 })).toThrow(TypeError);
});

test('an empty variable counts as unset', () => {
  expect(
    loadConfig(webSettings, { ...needed, PORT: '', BULL_BOARD_PASSWORD: '', LOG_LEVEL: '' }),
  ).toMatchObject({
    PORT: 3_000,
    LOG_LEVEL: 'info',
  });
  expect(problemsOf({ REDIS_URL: '' })).toEqual(['REDIS_URL is not set']);
});

test('all problems are reported at once', () => {
  const problems = problemsOf({
    DATABASE_URL: undefined,
    REDIS_URL: undefined,
    BASE_URL: 'sho.rt',
    PORT: 'http',
    CLICK_SHARDS: '0',
    LOG_LEVEL: 'loud',
  });
  expect(problems).toEqual([
    'DATABASE_URL is not set',
    'REDIS_URL is not set',
    'LOG_LEVEL must be one of fatal, error, warn, info, debug, trace, silent',
    'CLICK_SHARDS must be at least 1',
    'BASE_URL must be a URL such as https://sho.rt',
    'PORT must be a number',
  ]);
  const { message } = new ConfigError(problems);
  for (const problem of problems) expect(message).toContain(`  - ${problem}`);
});

const secretive = [
  'DATABASE_URL',
  'REDIS_URL',
  'BASE_URL',
  'PORT',
  'LOG_LEVEL',
  'ALLOW_PRIVATE_URLS',
  'REDIS_PREFIX',
  'REDIRECT_STATUS',
  'CLICK_ACK_MS',
  'ALIAS_HOSTS',
];

test('a problem does not show the value of its setting, which may be a secret', () => {
  const secret = 'hunter2';
  const env = Object.fromEntries(secretive.map((name) => [name, `a/ ${secret}`]));
  const problems = problemsOf(env);
  expect(problems.map((problem) => problem.split(' ')[0]!)).toEqual(expect.arrayContaining(secretive));
  expect(problems).toHaveLength(secretive.length);
  expect(problems.join('\n')).not.toContain(secret);
});

const bounds: [name: string, least: number, most: number][] = [
  ['PORT', 0, 65_535],
  ['DATABASE_POOL_MAX', 1, 1_000],
  ['CACHE_TTL_SECONDS', 10, 86_400],
  ['CLICK_SHARDS', 1, 64],
  ['CLICK_ACK_MS', 1, 10_000],
  ['REDIRECT_MAX_AGE_SECONDS', 0, 31_536_000],
  ['SHUTDOWN_DEADLINE_MS', 1_000, 600_000],
  ['SHUTDOWN_DRAIN_MS', 0, 60_000],
];

test.each(bounds)('%s accepts only whole numbers from %i to %i', (name, least, most) => {
  for (const value of [least, most]) expect(problemsOf({ [name]: `${value}` })).toEqual([]);
  expect(problemsOf({ [name]: `${least - 1}` })).toEqual([`${name} must be at least ${least}`]);
  expect(problemsOf({ [name]: `${most + 1}` })).toEqual([`${name} must be at most ${most}`]);
  expect(problemsOf({ [name]: `${least}.5` })).toEqual([`${name} must be a whole number`]);
  for (const value of ['ten', '10s', 'NaN'])
    expect(problemsOf({ [name]: value })).toEqual([`${name} must be a number`]);
});

test.each([
  ['DATABASE_URL', 'mysql://db/linkmill', /^DATABASE_URL must be a URL such as postgres:/],
  ['REDIS_URL', 'http://redis', /^REDIS_URL must be a URL such as redis:/],
  ['BASE_URL', 'https://sho.rt/a%20path', /^BASE_URL must be an origin alone/],
  ['BASE_URL', 'https://sho.rt/?q', /^BASE_URL must be an origin alone/],
  ['BASE_URL', 'https://user@sho.rt', /^BASE_URL must be an origin alone/],
  ['BASE_URL', 'ftp://sho.rt', /^BASE_URL must be a URL such as/],
  ['REDIRECT_STATUS', '200', /^REDIRECT_STATUS must be 301, 302, 307 or 308$/],
  ['REDIRECT_STATUS', 'permanent', /^REDIRECT_STATUS must be 301, 302, 307 or 308$/],
  [
    'ALLOWED_SCHEMES',
    'mailto,JavaScript:',
    /^ALLOWED_SCHEMES must not contain javascript: it is not safe to follow$/,
  ],
  ['ALLOWED_SCHEMES', 'data', /^ALLOWED_SCHEMES must not contain data/],
  ['ALLOWED_SCHEMES', 'ma il', /^ALLOWED_SCHEMES must be schemes/],
  ['MAX_URL_LENGTH', '8193', /^MAX_URL_LENGTH must be at most 8192$/],
  ['ALLOW_PRIVATE_URLS', 'maybe', /^ALLOW_PRIVATE_URLS must be true or false$/],
  ['BULL_BOARD_PASSWORD', 'short', /^BULL_BOARD_PASSWORD must be at least 8 characters$/],
  ['REDIS_PREFIX', 'a{b}', /^REDIS_PREFIX must be 1 to 32/],
  ['ALIAS_HOSTS', 'sho.rt,https://sho.rt', /^ALIAS_HOSTS must be host names/],
  ['SITE_NAME', 'x'.repeat(61), /^SITE_NAME must have 1 to 60 characters$/],
  ['SITE_NAME', 'links\u202E', /^SITE_NAME must not contain bidirectional controls$/],
  ['SITE_NAME', 'a\tb', /^SITE_NAME must not contain control characters$/],
  ['HOME_URL', 'example.com', /^HOME_URL must be a URL such as https:/],
  ['HOME_URL', 'javascript:alert(1)', /^HOME_URL must be a URL such as https:/],
  ['HOME_URL', 'https://user:secret@example.com', /^HOME_URL must not contain a user name/],
  ['CONTACT_URL', 'links@example.com', /^CONTACT_URL must be a URL such as https:/],
  ['CONTACT_URL', 'data:text/html,x', /^CONTACT_URL must be a URL such as https:/],
  ['CORS_ORIGINS', 'app.example', /^CORS_ORIGINS must be origins/],
  ['CORS_ORIGINS', 'https://app.example/path', /^CORS_ORIGINS must be origins/],
  ['CORS_ORIGINS', 'null', /^CORS_ORIGINS must be origins/],
])('%s rejects "%s" and names the expected value', (name, value, problem) => {
  expect(problemsOf({ [name]: value })).toEqual([expect.stringMatching(problem)]);
});

test('a short BULL_BOARD_PASSWORD is rejected without showing it', () => {
  const problems = problemsOf({ BULL_BOARD_PASSWORD: 'hunter2' });
  expect(problems).toEqual(['BULL_BOARD_PASSWORD must be at least 8 characters']);
});

test('a base URL with a final slash is the same origin', () => {
  expect(loadConfig(webSettings, { ...needed, BASE_URL: 'https://SHO.rt:443/' }).BASE_URL).toBe(
    'https://sho.rt',
  );
});

test('a low watermark must be below the target; the default depends on the target', () => {
  const problem = 'KEY_POOL_LOW_WATERMARK must be less than KEY_POOL_TARGET';
  expect(problemsOf({ KEY_POOL_LOW_WATERMARK: '1000', KEY_POOL_TARGET: '1000' })).toEqual([problem]);
  expect(problemsOf({ KEY_POOL_LOW_WATERMARK: '100001' })).toEqual([problem]);
  expect(problemsOf({ KEY_POOL_TARGET: '100' })).toEqual([]);
  expect(problemsOf({ KEY_POOL_LOW_WATERMARK: '999', KEY_POOL_TARGET: '1000' })).toEqual([]);
});
