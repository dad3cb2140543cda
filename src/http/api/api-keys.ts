import { z } from 'zod';
import type { StoredApiKey } from '../../api-keys/api-key.ts';
import type { ApiKeys } from '../../api-keys/api-keys.ts';
import { graceHours } from '../../api-keys/key-fields.ts';
import { wholeNumberText } from '../../validation/integer.ts';
import { Problem } from '../problems/problem.ts';
import {
  changedApiKey,
  type KeyChange,
  madeApiKey,
  newApiKey,
  presentApiKey,
  settingsOf,
  shownApiKey,
} from './api-key-schemas.ts';
import type { Handlers, Operations } from './operation.ts';

const tag = 'API keys';
const maxListed = 1_000;

const params = z.object({
  id: wholeNumberText(1),
});

/** Who may use the API. The first key with `admin` is made on the command line. */
export const apiKeyOperations = {
  // Ahead of the operations on one key, whose paths look like this one.
  getCurrentApiKey: {
    method: 'get',
    path: '/api/v1/api-keys/current',
    tag,
    summary: 'What the API key that asks may do',
    scope: 'any',
    replies: { 200: { description: 'The API key.', body: shownApiKey } },
    problems: [],
  },
  listApiKeys: {
    method: 'get',
    path: '/api/v1/api-keys',
    tag,
    summary: 'List API keys, revoked ones too, the oldest first',
    scope: 'admin',
    query: z.strictObject({
      after: wholeNumberText(0)
        .default(0)
        .describe('Those with a higher id: `next_after` of the answer before'),
      limit: wholeNumberText(1, maxListed).default(100),
    }),
    replies: {
      200: {
        description: 'API keys, and where to go on, or null at the end.',
        body: z.object({ api_keys: z.array(shownApiKey), next_after: z.int().nullable() }),
      },
    },
    problems: [],
  },
  createApiKey: {
    method: 'post',
    path: '/api/v1/api-keys',
    tag,
    summary: 'Make an API key',
    scope: 'admin',
    body: newApiKey,
    replies: {
      201: {
        description: 'It is valid from now on. `key` is shown this once.',
        headers: { Location: 'Where to read it' },
        body: madeApiKey,
      },
    },
    problems: [],
  },
  getApiKey: {
    method: 'get',
    path: '/api/v1/api-keys/{id}',
    tag,
    summary: 'Read an API key',
    scope: 'admin',
    params,
    replies: { 200: { description: 'The API key.', body: shownApiKey } },
    problems: ['not-found'],
  },
  changeApiKey: {
    method: 'patch',
    path: '/api/v1/api-keys/{id}',
    tag,
    summary: 'Change what an API key may do',
    description:
      'What is not given stays. Holds within 2 s. A key can neither take `admin` from itself nor have itself expire sooner.',
    scope: 'admin',
    params,
    body: changedApiKey,
    replies: { 200: { description: 'The API key as it is now.', body: shownApiKey } },
    problems: ['not-found', 'own-key'],
  },
  rotateApiKey: {
    method: 'post',
    path: '/api/v1/api-keys/{id}/rotate',
    tag,
    summary: 'Give an API key a new secret',
    description:
      'The API key stays the same: its permissions, short URLs and reserved codes. What it was before is valid for `grace_hours` more; 0 ends it within 2 s.',
    scope: 'admin',
    params,
    body: z.strictObject({ grace_hours: graceHours }, 'must be a JSON object'),
    replies: { 200: { description: 'The API key. `key` is shown this once.', body: madeApiKey } },
    problems: ['not-found'],
  },
  revokeApiKey: {
    method: 'delete',
    path: '/api/v1/api-keys/{id}',
    tag,
    summary: 'Revoke an API key',
    description: 'It is refused within 2 s, for ever. A key cannot revoke itself.',
    scope: 'admin',
    params,
    replies: { 204: { description: 'It is revoked.' } },
    problems: ['not-found', 'own-key'],
  },
} as const satisfies Operations;

/** An administrator who takes this from the key in hand could not undo it. */
const ownKey = (detail: string) => new Problem('own-key', detail);

/** Throws the 409 of a key that would take `admin` from itself, at once or in some time. */
function requireStaysAdmin(own: StoredApiKey, { scopes, expires_at: expiresAt }: KeyChange): void {
  if (scopes && !scopes.includes('admin'))
    throw ownKey('An API key cannot take the scope admin from itself.');
  if (expiresAt && (!own.expiresAt || expiresAt < own.expiresAt))
    throw ownKey('An API key cannot have itself expire sooner.');
}

export const apiKeyHandlers = ({ apiKeys }: { apiKeys: ApiKeys }): Handlers<typeof apiKeyOperations> => ({
  getCurrentApiKey: async ({ apiKey }) => ({
    status: 200,
    body: presentApiKey(await apiKeys.get(apiKey.id)),
  }),

  listApiKeys: async ({ query: { after, limit } }) => {
    const found = await apiKeys.list({ after, limit });
    const next = found.length === limit ? found.at(-1) : undefined;
    return { status: 200, body: { api_keys: found.map(presentApiKey), next_after: next?.id ?? null } };
  },

  createApiKey: async ({ body }) => {
    const { key, ...made } = await apiKeys.create(body.name, {
      scopes: body.scopes,
      ownUrlsOnly: body.own_urls_only,
      expiresAt: body.expires_at ?? null,
    });
    return {
      status: 201,
      headers: { Location: `/api/v1/api-keys/${made.id}` },
      body: { ...presentApiKey(made), key },
    };
  },

  getApiKey: async ({ params: { id } }) => ({ status: 200, body: presentApiKey(await apiKeys.get(id)) }),

  changeApiKey: async ({ params: { id }, body, apiKey }) => {
    if (id === apiKey.id) requireStaysAdmin(await apiKeys.get(id), body);
    return { status: 200, body: presentApiKey(await apiKeys.change(id, settingsOf(body))) };
  },

  rotateApiKey: async ({ params: { id }, body }) => {
    const { key, ...made } = await apiKeys.rotate(id, body.grace_hours * 3_600);
    return { status: 200, body: { ...presentApiKey(made), key } };
  },

  revokeApiKey: async ({ params: { id }, apiKey }) => {
    if (id === apiKey.id) throw ownKey('An API key cannot revoke itself.');
    await apiKeys.revoke(id);
    return { status: 204 };
  },
});
