import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { beforeAll, expect, test } from 'vitest';
import { useWeb } from '../../support/http/web-app.ts';
import { insertRestrictedUrl } from '../../support/urls/restricted-urls.ts';
import { createUrl } from '../../support/urls/urls.ts';

const web = useWeb();
const future = new Date(Date.now() + 3_600_000);
let codes: Record<string, string>;

beforeAll(async () => {
  const db = web.database.db();
  const [deleted, disabled] = ['deleted-10', 'disabled10'];
  for (const custom_code of [deleted, disabled]) await createUrl(web.client(), { custom_code });
  await web.client().delete(`/api/v1/urls/${deleted}`);
  await web.client().patch(`/api/v1/urls/${disabled}`, { is_active: false });
  codes = {
    deleted,
    disabled,
    'disabled before the first request': await insertRestrictedUrl(db, { isActive: false }),
    'not yet begun': await insertRestrictedUrl(db, { startsAt: future }),
    'not yet begun, with a password': await insertRestrictedUrl(db, { startsAt: future, password: 'secret' }),
    'not yet begun, one-time': await insertRestrictedUrl(db, { startsAt: future, isOneTime: true }),
  };
});

/** As long as the other codes, so that answers with it have the same length. */
const unknownCode = 'never-was7';

/** All bytes of a response except its date, and with a placeholder for the requested code. */
async function readBytes(
  method: string,
  [code, suffix]: [string, string],
  accept: string | undefined,
  language = 'en',
): Promise<string> {
  const socket = connect(Number(new URL(web.baseUrl()).port), '127.0.0.1');
  const body = method === 'POST' ? 'password=secret' : '';
  const preference = accept === undefined ? '' : `Accept: ${accept}\r\n`;
  socket.write(
    `${method} /${code}${suffix} HTTP/1.1\r\nHost: x\r\n${preference}Accept-Language: ${language}\r\nConnection: close\r\n` +
      `Content-Type: application/x-www-form-urlencoded\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  );
  return (await text(socket)).replace(/\r\nDate: [^\r]*/, '').replaceAll(code, '{code}');
}

test.each(
  ['GET', 'HEAD', 'POST', 'GET +'].flatMap((method) =>
    ['text/html', 'application/json'].map((accept) => [method, accept] as const),
  ),
)(
  'a deleted, disabled or not yet started code answers %s (%s) like an unknown one',
  async (requestLine, accept) => {
    const [method = '', more = ''] = requestLine.split(' ');
    const readResponse = async (code: string) => await readBytes(method, [code, more], accept);
    const unknown = await readResponse(unknownCode);
    expect(unknown).toMatch(/^HTTP\/1\.1 404 Not Found\r\n/);
    for (const [kind, code] of Object.entries(codes)) {
      expect(code).toHaveLength(unknownCode.length);
      expect(await readResponse(code), kind).toEqual(unknown);
      expect(await readResponse(code), kind).toEqual(unknown);
    }
  },
);

const accepts = [
  undefined,
  'text/html',
  'application/json',
  '*/*',
  '',
  'text/html;q=0.1, application/json',
  'image/png',
];
const languages = ['de', 'en;q=0.5, de', 'fr', '', '*'];

test('an unknown code answers GET, which does not pass Koa, with the bytes for HEAD and POST', async () => {
  for (const accept of accepts)
    for (const language of languages) {
      const read = async (method: string) => await readBytes(method, [unknownCode, ''], accept, language);
      const [got, posted, head] = [await read('GET'), await read('POST'), await read('HEAD')];
      const circumstances = `${accept} ${language}`;
      expect(got, circumstances).toEqual(posted);
      expect(`${got.split('\r\n\r\n')[0]}\r\n\r\n`, circumstances).toEqual(head);
      // From the memory cache.
      expect(await read('GET'), circumstances).toEqual(posted);
    }
});
