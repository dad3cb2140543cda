import type { z } from 'zod';
import { type ApiKey, ownerOf } from '../../../api-keys/api-key.ts';
import type { IdempotencyKey } from '../../../urls/store/idempotency-key.ts';
import type { Urls } from '../../../urls/urls.ts';
import { toConflictRules, toUrlInput, type urlInput } from './schemas.ts';

/** Creates, finds or restores a short URL as a validated body requests, with its click counters. */
export async function createUrl(
  urls: Pick<Urls, 'create' | 'withClicks'>,
  body: z.output<typeof urlInput>,
  { apiKey, idempotencyKey }: { apiKey: ApiKey; idempotencyKey: IdempotencyKey | undefined },
) {
  const now = new Date();
  const { url, isNew, isRepeat } = await urls.create(toUrlInput(body, now), apiKey.id, {
    idempotencyKey,
    owner: ownerOf(apiKey),
    ...toConflictRules(body),
    now,
  });
  // A repeated create gets the answer of the first one, in which there were no clicks.
  const counted = isNew ? { ...url, clickCount: 0, lastAccessedAt: null } : await urls.withClicks(url);
  return { url: counted, isNew, isRepeat };
}
