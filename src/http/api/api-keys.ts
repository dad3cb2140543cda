import { z } from 'zod';
import type { StoredApiKey } from '../../api-keys/api-key.ts';
import type { ApiKeys } from '../../api-keys/api-keys.ts';
import { graceHours } from '../../api-keys/key-fields.ts';
import { Problem } from '../problems/problem.ts';
import { idParams, idPosition } from '../routes/schemas.ts';
import {
  apiKeyInput,
  apiKeyPatch,
  type ApiKeyPatch,
  apiKeyWithSecret,
  presentApiKey,
  shownApiKey,
  toApiKeySettings,
} from './api-key-schemas.ts';
import type { Handlers, Operations } from './operation.ts';
import { pageOf, pageQuery, readPage } from './pagination.ts';

const tag = 'API keys';

/** API keys. The first key with the scope `admin` is created on the command line. */
export const apiKeyOperations = {
  // Before the operations on one key, whose path patterns match this path too.
  getCurrentApiKey: {
    method: 'get',
    path: '/api/v1/api-keys/current',
    tag,
    summary: 'Get the current API key',
    scope: 'any',
    replies: { 200: { description: 'The API key of the request.', body: shownApiKey } },
    problems: [],
  },
  listApiKeys: {
    method: 'get',
    path: '/api/v1/api-keys',
    tag,
    summary: 'List API keys',
    description: 'All keys in order of creation, including revoked ones and those of people.',
    scope: 'admin',
    query: z.strictObject(pageQuery({ default: 100, max: 1_000 })),
    replies: { 200: { description: 'A page of API keys.', body: pageOf(shownApiKey) } },
    problems: [],
  },
  createApiKey: {
    method: 'post',
    path: '/api/v1/api-keys',
    tag,
    summary: 'Create an API key',
    scope: 'admin',
    body: apiKeyInput,
    replies: {
      201: {
        description: 'The API key with its secret.',
        headers: { Location: 'URL of the resource' },
        body: apiKeyWithSecret,
      },
    },
    problems: [],
  },
  getApiKey: {
    method: 'get',
    path: '/api/v1/api-keys/{id}',
    tag,
    summary: 'Get an API key',
    scope: 'admin',
    params: idParams,
    replies: { 200: { description: 'The API key.', body: shownApiKey } },
    problems: ['not-found'],
  },
  updateApiKey: {
    method: 'patch',
    path: '/api/v1/api-keys/{id}',
    tag,
    summary: 'Update an API key',
    description:
      'Omitted fields stay unchanged. Takes effect within 2 s. A key can neither remove its own scope `admin` nor shorten its own lifetime. The identity provider determines the name and the permissions of a person; only `expires_at` can be changed here.',
    scope: 'admin',
    params: idParams,
    body: apiKeyPatch,
    replies: { 200: { description: 'The updated API key.', body: shownApiKey } },
    problems: ['not-found', 'self-modification-forbidden'],
  },
  rotateApiKey: {
    method: 'post',
    path: '/api/v1/api-keys/{id}/rotate',
    tag,
    summary: 'Rotate an API key',
    description:
      'Replaces the secret; permissions, short URLs and reserved codes stay. The old secret is valid for `grace_hours`; with 0 it is invalid within 2 s.',
    scope: 'admin',
    params: idParams,
    body: z.strictObject(
      { grace_hours: graceHours.describe('Hours for which the old secret stays valid') },
      'must be a JSON object',
    ),
    replies: { 200: { description: 'The API key with its new secret.', body: apiKeyWithSecret } },
    problems: ['not-found', 'no-secret'],
  },
  revokeApiKey: {
    method: 'delete',
    path: '/api/v1/api-keys/{id}',
    tag,
    summary: 'Revoke an API key',
    description:
      'Permanent; takes effect within 2 s. A key cannot revoke itself. A person whose key is revoked is signed out, and cannot sign in again.',
    scope: 'admin',
    params: idParams,
    replies: { 204: { description: 'The API key is revoked.' } },
    problems: ['not-found', 'self-modification-forbidden'],
  },
} as const satisfies Operations;

/** An administrator could not undo this with the same key. */
const selfModification = (detail: string) => new Problem('self-modification-forbidden', detail);

/** Throws a 409 where a key would lose its own scope `admin` now, or expire sooner. */
function requireStaysAdmin(own: StoredApiKey, { scopes, expires_at: expiresAt }: ApiKeyPatch): void {
  if (scopes && !scopes.includes('admin'))
    throw selfModification('An API key cannot remove its own scope admin.');
  if (expiresAt && (!own.expiresAt || expiresAt < own.expiresAt))
    throw selfModification('An API key cannot shorten its own lifetime.');
}

export const apiKeyHandlers = ({ apiKeys }: { apiKeys: ApiKeys }): Handlers<typeof apiKeyOperations> => ({
  getCurrentApiKey: async ({ apiKey }) => ({
    status: 200,
    body: presentApiKey(await apiKeys.get(apiKey.id)),
  }),

  listApiKeys: async ({ query }) => {
    const { rows, nextCursor } = await readPage(query, {
      list: 'api-keys',
      position: idPosition,
      positionOf: ({ id }: StoredApiKey) => id,
      read: async (after, limit) => await apiKeys.list({ after, limit }),
    });
    return { status: 200, body: { items: rows.map(presentApiKey), next_cursor: nextCursor } };
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

  updateApiKey: async ({ params: { id }, body, apiKey }) => {
    if (id === apiKey.id) requireStaysAdmin(await apiKeys.get(id), body);
    return { status: 200, body: presentApiKey(await apiKeys.update(id, toApiKeySettings(body))) };
  },

  rotateApiKey: async ({ params: { id }, body }) => {
    const { key, ...made } = await apiKeys.rotate(id, body.grace_hours * 3_600);
    return { status: 200, body: { ...presentApiKey(made), key } };
  },

  revokeApiKey: async ({ params: { id }, apiKey }) => {
    if (id === apiKey.id) throw selfModification('An API key cannot revoke itself.');
    await apiKeys.revoke(id);
    return { status: 204 };
  },
});
