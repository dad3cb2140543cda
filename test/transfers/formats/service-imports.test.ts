import { afterEach, beforeAll, expect, test } from 'vitest';
import { createApiKeys } from '../../../src/api-keys/api-keys.ts';
import { readMapping } from '../../../src/transfers/formats/custom.ts';
import { importUrls } from '../../../workers/jobs/transfers/import-urls.ts';
import { createTransfers } from '../../support/http/transfers.ts';
import { createJobContext } from '../../support/job-context.ts';
import { useDatabase } from '../../support/resources.ts';
import type { ServiceFile } from './files/expected.ts';
import { serviceFiles } from './files/service-files.ts';

const database = useDatabase();
let apiKeyId: number;

beforeAll(async () => {
  apiKeyId = (await createApiKeys(database.db()).create('test')).id;
});

afterEach(async () => {
  await database.db()('urls').del();
});

/** Imports a file; resolves to its import and to the stored short URLs. */
async function importAll(
  content: string | Buffer,
  options: Parameters<ReturnType<typeof createTransfers>['upload']>[2] = {},
) {
  const transfers = createTransfers(database.db());
  const id = await transfers.upload(apiKeyId, content, options);
  await importUrls(transfers, id, createJobContext());
  const urls = await database.db()('urls').join('url_stats', 'url_id', 'id').orderBy('id');
  const errors = await transfers.importStore.findErrors(id, 0, 100);
  return { found: await transfers.imports.get(id, apiKeyId), urls, errors };
}

const byCode = (a: Record<string, unknown>, b: Record<string, unknown>) =>
  String(a['short_code']) < String(b['short_code']) ? -1 : 1;

/** The actual result of a file. */
const outcomeOf = ({ found, urls, errors }: Awaited<ReturnType<typeof importAll>>) => ({
  state: found.state,
  format: found.format,
  urls: urls.toSorted(byCode),
  refused: errors.map(({ line }) => line),
});

/** The expected result of a file. */
const expectedOf = ({ format, urls, refused = [] }: ServiceFile) => ({
  state: 'completed',
  format,
  urls: urls.toSorted(byCode),
  refused,
});

test.each(serviceFiles)(
  'a file of $format ($source) is recognised and keeps codes, URLs and limits',
  async (file) => {
    expect(outcomeOf(await importAll(file.content))).toMatchObject(expectedOf(file));
  },
);

test.each(serviceFiles.filter(({ type }) => type === 'text/csv'))(
  'a CSV file of $format ($source) is read in UTF-16 and with carriage returns alone',
  async (file) => {
    const inUtf16 = await importAll(Buffer.from(`\uFEFF${file.content}`, 'utf16le'));
    expect(outcomeOf(inUtf16)).toMatchObject(expectedOf(file));
    await database.db()('urls').del();
    const ofOldMac = await importAll(file.content.replaceAll('\n', '\r'));
    expect(outcomeOf(ofOldMac)).toMatchObject(expectedOf(file));
  },
);

test('addresses and secrets of a file are never stored', async () => {
  const transfers = createTransfers(database.db());
  for (const { content } of serviceFiles) {
    const id = await transfers.upload(apiKeyId, content);
    const stored = await transfers.importStore.readBytes(id, 0, 1_000_000);
    expect(stored.toString()).not.toMatch(/203\.0\.113|2001:db8|s3cret|k3y|masked:abc/);
  }
});

test('a rejected row is stored without addresses in any column', async () => {
  const { errors } = await importAll(
    'short_code,original_url,title\nbad code,203.0.113.9,2001:db8::1\nbad code,[2001:db8::1]:80,x\n',
  );
  expect(errors.length).toBeGreaterThan(0);
  expect(JSON.stringify(errors)).not.toMatch(/203\.0\.113|2001:db8/);
});

test.each([
  ['a keyword list', 'keyword,url,position,clicks\nshoes,https://example.com/,1,5\n'],
  ['part of an export of Short.io', 'Original URL,Title,Clicks\nhttps://example.com/,T,5\n'],
  ['columns with no code', 'destination,title\nhttps://example.com/,T\n'],
  ['columns of two names', 'slug,url\na,https://example.com/\n'],
  ['no header', 'abc,https://example.com/,203.0.113.9\n'],
])('a file with %s is rejected, and nothing is imported', async (_, content) => {
  const { found, urls } = await importAll(content);
  expect(found).toMatchObject({
    state: 'failed',
    columns: null,
    error: expect.stringContaining('do not match a known service'),
  });
  expect(found.error).not.toMatch(/abc|example|203|shoes/);
  expect(urls).toEqual([]);
});

test('a file with unknown columns is imported with a mapping', async () => {
  const mapping = readMapping('short_code:Slug,url:Go to,expires_at:until,tags:labels');
  const content = 'Slug;Go To;Until;Labels;Other\nmapped;https://example.com/m;2199-01-01;a,b;x\n';
  const { found, urls } = await importAll(content, { format: 'custom', mapping });
  expect(found).toMatchObject({ format: 'custom', created: 1, delimiter: ';', ignoredColumns: ['Other'] });
  expect(urls).toMatchObject([
    { short_code: 'mapped', original_url: 'https://example.com/m', tags: ['a', 'b'] },
  ]);
  const other = await importAll('slug,target\na,https://example.com/\n', { format: 'custom', mapping });
  expect(other.found.error).toBe('The file has no column goto, labels, until of the mapping.');
});

test('a file with two columns of the same name is rejected', async () => {
  const { found, urls } = await importAll(
    'short_code,original_url,Original URL\na,https://example.com/1,https://example.com/2\n',
  );
  expect(found.error).toBe('The file has two columns named originalurl. Remove or rename one of them.');
  expect(urls).toEqual([]);
});

test('an import applies the maximum URL length and the allowed schemes', async () => {
  const long = `https://example.com/${'a'.repeat(3_000)}`;
  const { urls, errors } = await importAll(
    `short_code,original_url\nlong,${long}\nmail,mailto:a@example.com\ncall,tel:+491\n`,
  );
  expect(urls.map((url) => url.original_url)).toEqual([long, 'mailto:a@example.com']);
  expect(errors).toMatchObject([{ line: 4, reason: expect.stringContaining('must begin with') }]);
});
