import { z } from 'zod';
import type { StoredApiKey } from '../../api-keys/api-key.ts';
import type { ApiKeySettings } from '../../api-keys/api-keys.ts';
import { keyName, keyScopes } from '../../api-keys/key-fields.ts';
import { beginOf } from '../../api-keys/key-secret.ts';
import { scopes } from '../../api-keys/scopes.ts';
import { futureTime, timestamp } from './schemas.ts';

const ownUrlsOnly = z
  .boolean('must be true or false')
  .describe('Short URLs of other keys are not there for it; not with `admin` and `jobs:run`');

/** What a key is made from. */
export const newApiKey = z.strictObject(
  {
    name: keyName,
    scopes: keyScopes,
    own_urls_only: ownUrlsOnly.default(false),
    expires_at: futureTime.nullish(),
  },
  'must be a JSON object',
);

/** What a key is changed to; what is not given stays. */
export const changedApiKey = z
  .strictObject(
    { name: keyName, scopes: keyScopes, own_urls_only: ownUrlsOnly, expires_at: futureTime.nullable() },
    'must be a JSON object',
  )
  .partial();

export type KeyChange = z.output<typeof changedApiKey>;

export const settingsOf = (body: KeyChange): Partial<ApiKeySettings> => ({
  ...(body.name !== undefined && { name: body.name }),
  ...(body.scopes !== undefined && { scopes: body.scopes }),
  ...(body.own_urls_only !== undefined && { ownUrlsOnly: body.own_urls_only }),
  ...(body.expires_at !== undefined && { expiresAt: body.expires_at }),
});

const shownFields = z.object({
  id: z.int(),
  name: z.string(),
  prefix: z.string().describe('What the key begins with; the rest is known to its holder alone'),
  scopes: z.array(z.enum(scopes)),
  own_urls_only: z.boolean(),
  created_at: timestamp,
  expires_at: timestamp.nullable(),
  last_used_at: timestamp.nullable().describe('To about a minute'),
  rotated_at: timestamp.nullable(),
  previous_valid_until: timestamp
    .nullable()
    .describe('Until when what the key was before its rotation is valid too'),
  revoked_at: timestamp.nullable(),
});

/** An API key as the API shows it. */
export const shownApiKey = shownFields.meta({ id: 'ApiKey' });

/** With the key itself, which nobody is shown again. */
export const madeApiKey = shownFields.extend({ key: z.string() }).meta({ id: 'MadeApiKey' });

const textOf = (time: Date | null) => time?.toISOString() ?? null;

export const presentApiKey = (key: StoredApiKey): z.input<typeof shownApiKey> => ({
  id: key.id,
  name: key.name,
  prefix: beginOf(key.publicPart),
  scopes: key.scopes,
  own_urls_only: key.ownUrlsOnly,
  created_at: key.createdAt.toISOString(),
  expires_at: textOf(key.expiresAt),
  last_used_at: textOf(key.lastUsedAt),
  rotated_at: textOf(key.rotatedAt),
  previous_valid_until: textOf(key.previousUntil),
  revoked_at: textOf(key.revokedAt),
});
