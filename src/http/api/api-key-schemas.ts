import { z } from 'zod';
import type { StoredApiKey } from '../../api-keys/api-key.ts';
import type { ApiKeySettings } from '../../api-keys/api-keys.ts';
import { keyName, keyScopes } from '../../api-keys/key-fields.ts';
import { prefixOf } from '../../api-keys/key-secret.ts';
import { scopes } from '../../api-keys/scopes.ts';
import { boolean } from '../../validation/boolean.ts';
import { futureTime, timestamp } from '../routes/schemas.ts';

const ownUrlsOnly = boolean.describe(
  'Restricts the key to the short URLs that it created. Not possible with the scopes `admin` and `jobs:run`',
);

/** The input of a create. */
export const apiKeyInput = z.strictObject(
  {
    name: keyName.describe('Name, for lists and logs'),
    scopes: keyScopes.describe('Permissions of the key'),
    own_urls_only: ownUrlsOnly.default(false),
    expires_at: futureTime.nullish().describe('The key is invalid from this time on; null for never'),
  },
  'must be a JSON object',
);

/** The patch of an update; omitted fields stay unchanged. */
export const apiKeyPatch = z
  .strictObject(
    { name: keyName, scopes: keyScopes, own_urls_only: ownUrlsOnly, expires_at: futureTime.nullable() },
    'must be a JSON object',
  )
  .partial();

export type ApiKeyPatch = z.output<typeof apiKeyPatch>;

export const toApiKeySettings = (body: ApiKeyPatch): Partial<ApiKeySettings> => ({
  ...(body.name !== undefined && { name: body.name }),
  ...(body.scopes !== undefined && { scopes: body.scopes }),
  ...(body.own_urls_only !== undefined && { ownUrlsOnly: body.own_urls_only }),
  ...(body.expires_at !== undefined && { expiresAt: body.expires_at }),
});

const apiKeyFields = z.object({
  id: z.int(),
  name: z.string(),
  prefix: z.string().nullable().describe('First characters of the key; null for the key of a person'),
  person: z
    .object({
      issuer: z.string().describe('URL of the identity provider'),
      subject: z.string().describe('ID of the person at the provider'),
    })
    .nullable()
    .describe('Whose key it is, if it belongs to a person who signs in with single sign-on; otherwise null'),
  scopes: z.array(z.enum(scopes)),
  own_urls_only: z.boolean(),
  created_at: timestamp,
  expires_at: timestamp.nullable(),
  last_used_at: timestamp.nullable().describe('Accurate to about a minute'),
  rotated_at: timestamp.nullable(),
  previous_valid_until: timestamp
    .nullable()
    .describe('Time until which the secret before the last rotation is valid'),
  revoked_at: timestamp.nullable(),
});

/** An API key in answers, without its secret. */
export const shownApiKey = apiKeyFields.meta({ id: 'ApiKey' });

/** An API key with its secret, which no later answer contains. */
export const apiKeyWithSecret = apiKeyFields
  .extend({ key: z.string().describe('The secret. No later answer contains it') })
  .meta({ id: 'ApiKeyWithSecret' });

const textOf = (time: Date | null) => time?.toISOString() ?? null;

export const presentApiKey = (key: StoredApiKey): z.input<typeof shownApiKey> => ({
  id: key.id,
  name: key.name,
  prefix: key.publicPart === null ? null : prefixOf(key.publicPart),
  person: key.person,
  scopes: key.scopes,
  own_urls_only: key.ownUrlsOnly,
  created_at: key.createdAt.toISOString(),
  expires_at: textOf(key.expiresAt),
  last_used_at: textOf(key.lastUsedAt),
  rotated_at: textOf(key.rotatedAt),
  previous_valid_until: textOf(key.previousUntil),
  revoked_at: textOf(key.revokedAt),
});
