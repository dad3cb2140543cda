import { expect, test } from 'vitest';
import { submit, visit } from '../../support/clicks/visitor.ts';
import { useWeb } from '../../support/http/web-app.ts';
import { insertRestrictedUrl } from '../../support/urls/restricted-urls.ts';

const web = useWeb({
  SITE_NAME: ' Köln & <Bonn> ',
  HOME_URL: 'https://home.example',
  CONTACT_URL: 'mailto:help@home.example?subject="links"',
});
const at = (path: string) => `${web.baseUrl()}/${path}`;
const insert = async (url: Parameters<typeof insertRestrictedUrl>[1]) =>
  at(await insertRestrictedUrl(web.database.db(), url));

test.each([
  [undefined, 'en'],
  ['de', 'de'],
  ['de-AT', 'de'],
  ['DE', 'de'],
  ['fr, de;q=0.5, en;q=0.4', 'de'],
  ['de;q=0.4, en;q=0.5', 'en'],
  ['en-US,en;q=0.9,de;q=0.8', 'en'],
  ['de;q=0', 'en'],
  ['*', 'en'],
  ['fr', 'en'],
  ['', 'en'],
  [',;q=,de;q=x;;', 'en'],
  [`${'x,'.repeat(3_000)}de`, 'de'],
])('Accept-Language %j gets a page in %s', async (header, language) => {
  const init = header === undefined ? {} : { headers: { 'accept-language': header } };
  const { text, headers: sent } = await visit(at('unknown1'), init);
  expect(text).toContain(`<html lang="${language}">`);
  expect(text).toContain({ en: 'Link not found', de: 'Link nicht gefunden' }[language]);
  expect(sent.get('content-language')).toBe(language);
  expect(sent.get('vary')).toContain('Accept-Language');
});

test('every page for visitors is in the preferred language', async () => {
  const german = { 'accept-language': 'de' };
  const gated = await insert({ password: 'secret', isOneTime: true });
  const plain = await insert({ expiresAt: new Date('2099-12-31T23:59:00Z') });
  const pages = {
    'Dieser Link ist mit einem Passwort geschützt': await visit(gated, { headers: german }),
    'Das Passwort ist falsch.': await submit(gated, { password: 'wrong' }, german),
    'leitet weiter zu': await visit(`${plain}+`, { headers: german }),
    '31. Dezember 2099 um 23:59 UTC': await visit(`${plain}+`, { headers: german }),
    'Das Ziel wird nach Eingabe des Passworts angezeigt.': await visit(`${gated}+`, { headers: german }),
    'Kommentar (freiwillig)': await visit(at('report'), { headers: german }),
    'Wir prüfen Ihre Meldung.': await submit(
      at('report'),
      { short_code: new URL(plain).pathname.slice(1), reason: 'spam' },
      german,
    ),
    'Diese Anfrage wurde nicht angenommen': await submit(at('report'), { reason: 'none' }, german),
    Kurzlink: await visit(at(''), { headers: german }),
  };
  for (const [expected, { text, headers }] of Object.entries(pages)) {
    expect(text).toContain(expected);
    expect(text).toContain('<html lang="de">');
    expect(headers.get('vary')).toContain('Accept-Language');
    expect(Buffer.byteLength(text)).toBeLessThan(5_000);
  }
});

test('answers that are no page do not vary by language', async () => {
  const json = { headers: { accept: 'application/json', 'accept-language': 'de' } };
  const plain = await insert({});
  for (const url of [at('unknown2'), at(''), `${plain}+`, plain]) {
    const { headers, text } = await visit(url, json);
    expect(headers.get('vary') ?? '').not.toContain('Language');
    expect(headers.has('content-language')).toBe(false);
    expect(text).not.toContain('lang=');
  }
});

test('pages name the service and link to its home page and contact', async () => {
  const gated = await insert({ password: 'secret' });
  for (const url of [at('unknown3'), gated, `${gated}+`, at('report'), at('')]) {
    const { text } = await visit(url);
    expect(text).toMatch(/<title>[^<]*Köln &amp; &lt;Bonn&gt;<\/title>/);
    expect(text).toContain('<a href="https://home.example/">Köln &amp; &lt;Bonn&gt;</a>');
    expect(text).toContain('<a href="mailto:help@home.example?subject=%22links%22">Contact</a>');
  }
});
