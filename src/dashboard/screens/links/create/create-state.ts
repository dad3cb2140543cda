import { signal } from '@preact/signals';
import { call, get } from '../../../api/client.ts';
import type { ShortUrl, UrlInput } from '../../../api/types.ts';
import { maxBulkItems } from '../../../state/service.ts';

type Settings = Omit<UrlInput, 'original_url' | 'custom_code'>;

/** What is typed: it survives other screens and the end of a session. */
export const draft = {
  text: signal(''),
  code: signal(''),
  settings: signal<Settings>({}),
};

/** The result of the last create. */
export interface Created {
  urls: ShortUrl[];
  /** Whether the one URL existed before. */
  isExisting: boolean;
  /** Whether the short URLs are in the clipboard. */
  isCopied: boolean;
  failed: { text: string; why: string }[];
}

type Result = Omit<Created, 'isCopied'>;

/** The URLs in a text, separated by white space; a scheme is added where it is missing. */
export const urlsIn = (text: string): string[] =>
  text
    .split(/\s+/)
    .filter((part) => part !== '')
    .map((part) => (/^[a-z][a-z\d+.-]*:/i.test(part) ? part : `https://${part}`));

/** 128 random bits; `crypto.randomUUID` does not exist over plain HTTP. */
const randomKey = () =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join(
    '',
  );

const given = (settings: Settings): Settings =>
  Object.fromEntries(
    Object.entries(settings).filter(([, value]) => value !== '' && value !== false && value !== undefined),
  );

/** Creates the short URL of the draft. Throws a Problem. */
export async function createOne(original: string, reusesExisting: boolean): Promise<Result> {
  const code = draft.code.value.trim();
  const { status, body } = await call('post', '/api/v1/urls', {
    body: {
      ...given(draft.settings.value),
      original_url: original,
      ...(code === '' ? reusesExisting && { find_if_exists: true } : { custom_code: code }),
    },
    headers: { 'idempotency-key': randomKey() },
  });
  return { urls: [body], isExisting: status === 200, failed: [] };
}

/** Creates the short URLs of the draft, up to 1,000 per request. */
export async function createMany(originals: string[]): Promise<Result> {
  const created: Result = { urls: [], isExisting: false, failed: [] };
  for (let start = 0; start < originals.length; start += maxBulkItems()) {
    const part = originals.slice(start, start + maxBulkItems());
    const { body } = await call('post', '/api/v1/urls/bulk', {
      body: { urls: part.map((original) => ({ ...given(draft.settings.value), original_url: original })) },
      headers: { 'idempotency-key': randomKey() },
    });
    for (const [i, result] of body.results.entries()) {
      if ('url' in result) created.urls.push(result.url);
      else created.failed.push({ text: part[i]!, why: reasonOf(result) });
    }
  }
  return created;
}

/** Why an item of a bulk request failed. */
export const reasonOf = (result: object): string =>
  'problem' in result ? (result.problem as { detail: string }).detail : '';

/** Three free codes like one that cannot be used; none where the service does not answer. */
export const suggestCodes = async (code: string): Promise<string[]> =>
  await get('/api/v1/codes/{code}', { params: { code } }).then(
    ({ suggestions }) => suggestions,
    () => [],
  );

export const emptyDraft = () => {
  draft.text.value = '';
  draft.code.value = '';
  draft.settings.value = {};
};
