import type { Owner } from '../urls/store/owner.ts';
import type { Scope } from './scopes.ts';

/** The permissions of an API key. */
export interface Permissions {
  scopes: Scope[];
  /** Restricts the key to the short URLs that it created. Excludes the scopes `admin` and `jobs:run`, which concern those of all keys. */
  ownUrlsOnly: boolean;
}

/** An authenticated API key. */
export interface ApiKey extends Permissions {
  id: number;
  name: string;
}

/** What identifies a person, permanently and worldwide. An e-mail address does not: it can change and move to somebody else. */
export interface Identity {
  /** The URL of the provider. */
  issuer: string;
  /** The ID of the person at the provider. */
  subject: string;
}

/** A stored API key, without its secret. */
export interface StoredApiKey extends ApiKey {
  /** The characters after `lm_`; not secret. Null for a person. */
  publicPart: string | null;
  /** Whose key it is, if it belongs to a person who signs in with OpenID Connect; such a key has no secret. */
  person: Identity | null;
  createdAt: Date;
  /** The key is invalid from this time on; null for never. */
  expiresAt: Date | null;
  /** Accurate to about a minute. */
  lastUsedAt: Date | null;
  rotatedAt: Date | null;
  /** Time until which the secret before the last rotation is valid. */
  previousUntil: Date | null;
  revokedAt: Date | null;
}

/** Whether a key has a scope; `any` stands for every valid key. */
export const isAllowed = ({ scopes }: ApiKey, scope: Scope | 'any'): boolean =>
  scope === 'any' || scopes.includes('admin') || scopes.includes(scope);

/** The owner whose short URLs a key has access to. */
export const ownerOf = ({ id, ownUrlsOnly }: ApiKey): Owner => (ownUrlsOnly ? id : null);

/** The caller, for the rules about deleted short URLs. */
export const requesterOf = (apiKey: ApiKey) => ({
  apiKeyId: apiKey.id,
  owner: ownerOf(apiKey),
  isAdmin: isAllowed(apiKey, 'admin'),
});

/** The API key whose imports and exports a key has access to; null for those of all keys, with the scope `admin`. */
export const transfersOf = (apiKey: ApiKey): number | null => (isAllowed(apiKey, 'admin') ? null : apiKey.id);

/** No API key has this ID, or it is revoked. */
export class ApiKeyNotFound extends Error {
  override readonly name = 'ApiKeyNotFound';

  constructor() {
    super('API key not found.');
  }
}

/** The key belongs to a person, and has no secret to rotate. */
export class KeyHasNoSecret extends Error {
  override readonly name = 'KeyHasNoSecret';

  constructor() {
    super('This API key belongs to a person who signs in with single sign-on. It has no secret.');
  }
}

/** The provider determines these settings of a person at each sign-in. */
export class SetByProvider extends Error {
  override readonly name = 'SetByProvider';
  readonly settings: readonly (keyof Permissions | 'name')[];

  constructor(settings: readonly (keyof Permissions | 'name')[]) {
    super('The identity provider determines the name and the permissions of a person.');
    this.settings = settings;
  }
}

/** A key cannot combine `ownUrlsOnly` with the scopes `admin` and `jobs:run`. */
export class PermissionsContradict extends Error {
  override readonly name = 'PermissionsContradict';

  constructor() {
    super('An API key with the scope admin or jobs:run cannot be restricted to its own short URLs.');
  }
}
