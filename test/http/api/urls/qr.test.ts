import { createRequire } from 'node:module';
import { create } from 'qrcode';
import { beforeAll, describe, expect, test } from 'vitest';
import { useWeb } from '../../../support/http/web-app.ts';
import { createUrl } from '../../../support/urls/urls.ts';

const web = useWeb();

/** The image libraries of qrcode, which have no types. */
const { PNG } = createRequire(import.meta.url)('pngjs') as {
  PNG: { sync: { read: (png: Buffer) => { width: number; height: number; data: Buffer } } };
};

let code: string;
beforeAll(async () => {
  code = await createUrl(web.client());
});

async function fetchQr(query = '', headers: Record<string, string> = {}) {
  const response = await fetch(`${web.baseUrl()}/api/v1/urls/${code}/qr${query}`, {
    headers: { 'x-api-key': web.apiKey(), ...headers },
  });
  return { response, picture: Buffer.from(await response.arrayBuffer()) };
}

/** The QR code of the short URL as rows of 1 for dark and 0 for light modules. */
function expected(level: 'L' | 'M' | 'Q' | 'H' = 'M'): string[] {
  const { modules } = create(`${web.baseUrl()}/${code}`, { errorCorrectionLevel: level });
  return Array.from({ length: modules.size }, (_, row) =>
    Array.from({ length: modules.size }, (_, column) => modules.get(row, column)).join(''),
  );
}

/** Reads these rows from an SVG of qrcode: "M" begins a row, "m" moves, "h" draws. */
function rowsOfSvg(svg: string, margin: number): string[] {
  const size = Number(/viewBox="0 0 (\d+)/.exec(svg)?.[1]) - 2 * margin;
  const rows = Array.from({ length: size }, () => Array<number>(size).fill(0));
  let [x, y] = [0, 0];
  const path = / d="(M[^"z]*)"/.exec(svg)?.[1] ?? '';
  for (const [, command, first, second] of path.matchAll(/([Mmh])([\d.]+)(?: ([\d.]+))?/g)) {
    if (command === 'M') [x, y] = [Number(first) - margin, Math.floor(Number(second)) - margin];
    if (command === 'm') x += Number(first);
    if (command === 'h') for (const end = x + Number(first); x < end; x++) rows[y]![x] = 1;
  }
  return rows.map((row) => row.join(''));
}

/** Reads these rows from the pixels in the middle of each module; another colour is a "?". */
function rowsOfPng(png: Buffer, margin: number, dark: string, light: string): string[] {
  const { width, data } = PNG.sync.read(png);
  const size = expected().length;
  const middle = (module: number) => Math.floor(((module + margin + 0.5) * width) / (size + 2 * margin));
  const colourOf = (row: number, column: number) => {
    const at = (middle(row) * width + middle(column)) * 4;
    return data.subarray(at, at + 4).toString('hex');
  };
  return Array.from({ length: size }, (_, row) =>
    Array.from({ length: size }, (_, column) => {
      const colour = colourOf(row, column);
      return colour === dark ? '1' : colour === light ? '0' : '?';
    }).join(''),
  );
}

test('a QR code encodes the short URL, by default as SVG of 256 pixels', async () => {
  const { response, picture } = await fetchQr();
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toBe('image/svg+xml');
  expect(response.headers.get('cache-control')).toBe('private, max-age=3600');
  const svg = picture.toString();
  expect(svg).toContain('width="256" height="256"');
  expect(rowsOfSvg(svg, 4)).toEqual(expected());
});

test('an SVG has the requested size, margin, level and colours', async () => {
  const { picture } = await fetchQr('?size=500&margin=0&level=H&dark=%23123&light=abcdef00');
  const svg = picture.toString();
  expect(svg).toContain('width="500" height="500"');
  expect(svg).toContain('stroke="#112233"');
  expect(svg).not.toContain('fill=');
  expect(rowsOfSvg(svg, 0)).toEqual(expected('H'));
});

test.each([
  ['?format=png', 256, 4, '000000ff', 'ffffffff'],
  ['?format=png&size=700&margin=20&dark=1a2b3c80&light=%23fed', 700, 20, '1a2b3c80', 'ffeeddff'],
  ['?format=png&size=64&margin=1&dark=00f&light=ffffff00', 64, 1, '0000ffff', 'ffffff00'],
])('a PNG encodes the short URL in its size and colours: %s', async (query, size, margin, dark, light) => {
  const { response, picture } = await fetchQr(query);
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toBe('image/png');
  const { width, height, data } = PNG.sync.read(picture);
  expect(width).toBe(size);
  expect(height).toBe(size);
  expect(data.subarray(0, 4).toString('hex')).toBe(light);
  expect(rowsOfPng(picture, margin, dark, light)).toEqual(expected());
});

test('all opacities are rendered as requested', async () => {
  for (const [alpha, shown] of [
    ['00', '.00'],
    ['80', '.50'],
    ['fd', '.99'],
    ['fe', undefined],
    ['ff', undefined],
  ]) {
    const svg = (await fetchQr(`?dark=000000${alpha}`)).picture.toString();
    expect(/stroke-opacity="([^"]*)"/.exec(svg)?.[1], alpha).toEqual(shown);
  }
});

test('50 concurrent requests for a PNG get the same image', async () => {
  const answers = await Promise.all(Array.from({ length: 50 }, () => fetchQr('?format=png&size=1000')));
  expect(new Set(answers.map(({ response }) => response.status))).toEqual(new Set([200]));
  expect(new Set(answers.map(({ picture }) => picture.toString('base64'))).size).toBe(1);
});

test('a matching If-None-Match answers 304', async () => {
  for (const format of ['svg', 'png']) {
    const tag = (await fetchQr(`?format=${format}`)).response.headers.get('etag')!;
    const known = { 'if-none-match': `"other", W/${tag}` };
    const same = await fetchQr(`?format=${format}&dark=000`, known);
    expect(same.response.status).toBe(304);
    expect(same.picture).toHaveLength(0);
    expect(same.response.headers.get('etag')).toBe(tag);
    expect((await fetchQr(`?format=${format}&dark=001`, known)).response.status).toBe(200);
  }
});

describe('no QR code', () => {
  test.each([
    ['format=gif', 'format', /^must be svg or png$/],
    ['size=63', 'size', /^must be at least 64$/],
    ['size=2049', 'size', /^must be at most 2048$/],
    ['size=big', 'size', /^must be a number$/],
    ['size=100.5', 'size', /^must be a whole number$/],
    ['margin=-1', 'margin', /^must be at least 0$/],
    ['margin=21', 'margin', /^must be at most 20$/],
    ['level=X', 'level', /^must be L, M, Q or H$/],
    ['dark=red', 'dark', /^must be a colour such as/],
    ['light=%2312345', 'light', /^must be a colour such as/],
    ['light="/><script>', 'light', /^must be a colour such as/],
    ['colour=000', 'colour', /^is not a known field$/],
    ['format=png&size=64&margin=20', 'size', /^must be at least \d+ for this margin and level$/],
  ])('is rendered for %s', async (query, field, detail) => {
    const answer = await web.client().get(`/api/v1/urls/${code}/qr?${query}`);
    expect(answer.status).toBe(422);
    expect(answer.headers.get('etag')).toBeNull();
    expect(answer.body['errors']).toEqual([{ field, detail: expect.stringMatching(detail) }]);
  });

  test('is rendered for an unknown, deleted or expired short URL', async () => {
    const qrOf = async (short: string) => (await web.client().get(`/api/v1/urls/${short}/qr`)).status;
    const deleted = await createUrl(web.client());
    await web.client().delete(`/api/v1/urls/${deleted}`);
    const expired = await createUrl(web.client());
    const change = { expires_at: new Date(0) };
    await web.database.db()('urls').where({ short_code: expired }).update(change);
    expect(await qrOf('unknown1')).toBe(404);
    expect(await qrOf(deleted)).toBe(404);
    expect(await qrOf(expired)).toBe(410);
  });
});
