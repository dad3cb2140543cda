import type { Owner } from '../urls/store/owner.ts';
import type { Scope } from './scopes.ts';

/** What an API key may do. */
export interface Permissions {
  scopes: Scope[];
  /** The short URLs of others are not there for it. It cannot have scopes that concern everybody's: `admin`, `jobs:run`. */
  ownUrlsOnly: boolean;
}

/** Who asks, and what they may do. */
export interface ApiKey extends Permissions {
  id: number;
  name: string;
}

/** An API key as the table has it: everything but its secret. */
export interface StoredApiKey extends ApiKey {
  /** What it begins with after `lm_`, and no secret. */
  publicPart: string;
  createdAt: Date;
  /** It is refused from then on; null for never. */
  expiresAt: Date | null;
  /** When it was last heard of, to about a minute. */
  lastUsedAt: Date | null;
  rotatedAt: Date | null;
  /** Until when the secret before the present one is valid too. */
  previousUntil: Date | null;
  revokedAt: Date | null;
}

/** Whether a key may do this; `any` is what every valid key may. */
export const isAllowed = ({ scopes }: ApiKey, scope: Scope | 'any'): boolean =>
  scope === 'any' || scopes.includes('admin') || scopes.includes(scope);

/** Whose short URLs a key may read and change. */
export const ownerOf = ({ id, ownUrlsOnly }: ApiKey): Owner => (ownUrlsOnly ? id : null);

/** An API key as the rules about deleted short URLs see it. */
export const requesterOf = (apiKey: ApiKey) => ({
  apiKeyId: apiKey.id,
  owner: ownerOf(apiKey),
  isAdmin: isAllowed(apiKey, 'admin'),
});

/** Whose imports and exports a key may see: its own, and with `admin` everybody's. */
export const transfersOf = (apiKey: ApiKey): number | null => (isAllowed(apiKey, 'admin') ? null : apiKey.id);

/** No API key has this id, or it is revoked. */
export class ApiKeyNotFound extends Error {
  override readonly name = 'ApiKeyNotFound';
}

/** A key cannot be for its own short URLs only and have scopes that concern everybody's. */
export class PermissionsContradict extends Error {
  override readonly name = 'PermissionsContradict';
}
