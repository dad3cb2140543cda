import { beforeAll, describe, expect, test } from 'vitest';
import { importFile } from '../../../support/http/imports.ts';
import { runProcess } from '../../../support/processes/processes.ts';
import { useService } from '../../../support/processes/service.ts';
import { storeSettings } from '../../../support/resources.ts';
import { waitUntil } from '../../../support/wait-until.ts';

const web = useService({ CODES_IGNORE_CASE: 'true', CUSTOM_CODE_CHARACTERS: 'unicode' });
const page = 'https://example.com/page';

const insert = async (shortCode: string) =>
  await web.database.db()('urls').insert({ short_code: shortCode, original_url: page });
const locationOf = async (path: string) =>
  (await fetch(`${web.baseUrl()}/${path}`, { redirect: 'manual' })).headers.get('location');
const readiness = async () => {
  const response = await fetch(`${web.baseUrl()}/health/ready`);
  return response.status;
};
const conditionCodes = async () => {
  const health = (await (await fetch(`${web.baseUrl()}/health`)).json()) as {
    conditions: { code: string }[];
  };
  return health.conditions.map(({ code }) => code);
};
const foldCodes = async (...args: string[]) =>
  await runProcess('src/cli/fold-codes.js', { DATABASE_URL: web.database.url() }, args);
const create = async (customCode?: string) =>
  await web.client().post('/api/v1/urls', {
    original_url: page,
    ...(customCode !== undefined && { custom_code: customCode }),
  });

describe('before the codes are folded', () => {
  beforeAll(async () => {
    for (const code of ['Old-Code', 'Twin-Code', 'twin-code', 'Größe']) await insert(code);
    for (const alias of ['Alias-Code', 'OLD-CODE', 'ALIAS-CODE'])
      await web.database
        .db()
        .raw(
          `insert into url_aliases (short_code, url_id) select ?, id from urls where short_code = 'Old-Code'`,
          [alias],
        );
  });

  test('existing short URLs redirect as before, and the API answers 503', async () => {
    await waitUntil('the mismatch is reported', async () =>
      (await conditionCodes()).includes('short_code_case'),
    );
    expect(await readiness()).toBe(503);
    expect(await locationOf('Old-Code')).toBe(page);
    expect(await locationOf('old-code')).toBeNull();
    expect((await create('new-code')).status).toBe(503);
  });

  test('fold-codes rejects codes that differ only by case', async () => {
    const { code, stderr } = await foldCodes();
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('Twin-Code') });
    expect(await web.database.db()('urls').where({ short_code: 'Old-Code' })).toHaveLength(1);
  });
});

describe('once the codes are folded', () => {
  test('the web process is ready without a restart', async () => {
    await web.database.db()('urls').where({ short_code: 'twin-code' }).delete();
    expect(await foldCodes()).toMatchObject({ code: 0, stderr: '' });
    await waitUntil('the web process is ready', async () => (await readiness()) === 200);
  });

  test('old codes redirect in any case and are stored once', async () => {
    await waitUntil('the old code redirects', async () => (await locationOf('Alias-Code')) === page);
    expect(await locationOf('alias-CODE')).toBe(page);
    expect(await web.database.db()('url_aliases').select('short_code')).toEqual([
      { short_code: 'alias-code' },
    ]);
  });

  test('existing short URLs redirect in any case, also after a miss', async () => {
    for (const path of [
      'old-code',
      'Old-Code',
      'OLD-CODE',
      'OLD%2Dcode',
      'twin-code',
      'gr%C3%B6%C3%9Fe',
      'GR%C3%96%E1%BA%9EE',
    ])
      for (let i = 0; i < 2; i += 1) expect(await locationOf(path), path).toBe(page);
  });

  test('custom codes are stored in lower case and accepted in any case', async () => {
    expect((await create('My-Code')).body['short_code']).toBe('my-code');
    expect((await create('MY-CODE')).status).toBe(409);
    expect((await create('ÄHRE-Code')).body['short_code']).toBe('ähre-code');
    expect(await locationOf('MY-code')).toBe(page);
    expect((await web.client().get('/api/v1/urls/MY-CODE')).body['short_code']).toBe('my-code');
    const { body } = await web.client().delete('/api/v1/urls/MY-CODE');
    expect(body).not.toHaveProperty('status');
    expect(await locationOf('my-code')).toBeNull();
  });

  test('generated codes are in lower case despite mixed-case keys in the pool', async () => {
    await web.redis.redis().lpush(`${web.redis.prefix}:keys:pool`, 'MixedAA', 'MixedBB');
    for (let i = 0; i < 5; i += 1) expect((await create()).body['short_code']).toMatch(/^[a-z\d]{7}$/);
    const { body } = await web.client().get('/api/v1/codes?count=20');
    for (const code of body['codes'] as string[]) expect(code).toMatch(/^[a-z\d]{7}$/);
  });

  test('bulk deletes and released codes accept any case', async () => {
    await create('in-bulk');
    const { body } = await web.client().post('/api/v1/urls/bulk/delete', { short_codes: ['IN-Bulk'] });
    expect(JSON.stringify(body)).toContain('"in-bulk"');
    expect(await locationOf('in-bulk')).toBeNull();
    const [code] = (await web.client().get('/api/v1/codes')).body['codes'] as string[];
    const returned = await web.client().post('/api/v1/codes/return', { codes: [code!.toUpperCase()] });
    expect(returned.body).toEqual({ returned: [code], refused: [] });
  });

  test('the database rejects upper case codes of other programs', async () => {
    await expect(insert('Another')).rejects.toThrow(/urls_short_code_lower_case/);
  });

  test('imported codes are stored in lower case without duplicates', async () => {
    const file = `short_code,original_url\nIMP-Code,${page}\nimp-CODE,${page}\n,${page}\n`;
    expect(await importFile(web.client(), file)).toMatchObject({ created: 2, skipped: 1, failed: 0 });
    expect(await locationOf('Imp-Code')).toBe(page);
    expect(await web.database.db()('urls').whereRaw('short_code <> lower(short_code)')).toEqual([]);
  });

  test('a job without the setting rejects folded codes', async () => {
    const settings = storeSettings(web.database, web.redis);
    const { code, stderr } = await runProcess('workers/run-job.js', settings, ['replenish-keys']);
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('CODES_IGNORE_CASE=true') });
  });

  test('fold-codes --undo allows upper case again', async () => {
    expect((await foldCodes('--undo')).code).toBe(0);
    await insert('Upper-Case');
    expect((await foldCodes()).code).toBe(0);
    await waitUntil('the folded code redirects', async () => (await locationOf('UPPER-case')) === page);
  });
});
