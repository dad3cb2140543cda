import type { Identity } from '../api-keys/api-key.ts';
import { toKeyName } from '../api-keys/key-fields.ts';
import type { Person } from '../api-keys/people.ts';
import type { Scope } from '../api-keys/scopes.ts';
import { SignInFailed } from './sign-in-failed.ts';

/** What the provider states about a person. */
export type Claims = Readonly<Record<string, unknown>>;

/** How claims become a name and permissions. */
export interface PersonRules {
  nameClaim: string;
  /** A person is in the groups of all these claims. */
  groupsClaims: string[];
  /** Undefined: no person has the scope `admin`. */
  adminGroup: string | undefined;
  /** Undefined: everybody may sign in. */
  userGroup: string | undefined;
  /** Permissions of everybody else. */
  scopes: Scope[];
  ownUrlsOnly: boolean;
}

/** OpenID Connect Core 1.0, section 2: at most 255 ASCII characters. */
const subjectPattern = /^[\x20-\x7e]{1,255}$/;

/** The claims that the rules need. */
export function neededClaims({ nameClaim, groupsClaims, adminGroup, userGroup }: PersonRules): string[] {
  if (adminGroup === undefined && userGroup === undefined) return [nameClaim];
  return [nameClaim, ...groupsClaims, ...(groupsClaims.includes('email') ? ['email_verified'] : [])];
}

/** The value of a claim. A name with dots that is no claim is a path: Keycloak has its roles in `realm_access.roles`. */
export function findClaim(claims: Claims, name: string): unknown {
  if (Object.hasOwn(claims, name)) return claims[name];
  let value: unknown = claims;
  for (const part of name.split('.')) {
    if (!isRecord(value) || !Object.hasOwn(value, part)) return undefined;
    value = value[part];
  }
  return value;
}

/** Whom the claims describe. Throws SignInFailed. */
export function readIdentity({ iss: issuer, sub: subject }: Claims): Identity {
  if (typeof issuer !== 'string' || typeof subject !== 'string' || !subjectPattern.test(subject))
    throw new SignInFailed('invalid', 'the provider sent an invalid sub');
  return { issuer, subject };
}

/** The person whom the claims describe. Throws SignInFailed for one who may not sign in. */
export function readPerson(claims: Claims, rules: PersonRules): Person {
  const identity = readIdentity(claims);
  const { adminGroup, userGroup, groupsClaims } = rules;
  const found = groupsClaims.map((name) => readGroups(claims, name)).filter((groups) => groups !== undefined);
  const groups = found.length > 0 ? found.flat() : undefined;
  const isIn = (group: string | undefined) => group !== undefined && groups?.includes(group) === true;
  const isAdmin = isIn(adminGroup);
  if (!isAdmin && userGroup !== undefined && !isIn(userGroup)) {
    throw groups === undefined
      ? new SignInFailed('no-groups', `the provider sent no claim ${groupsClaims.join(' or ')}`)
      : new SignInFailed('not-member', 'the person is in no group that may sign in');
  }
  return {
    ...identity,
    name: readName(claims, rules.nameClaim) ?? toKeyName(identity.subject) ?? 'person',
    scopes: isAdmin ? ['admin'] : rules.scopes,
    ownUrlsOnly: !isAdmin && rules.ownUrlsOnly,
  };
}

/** The groups of a person; undefined without the claim. A claim can be one name, a list, or an object whose members are named after the
 *  groups (Zitadel), where a member that is false or null is no group. */
function readGroups(claims: Claims, name: string): string[] | undefined {
  const value = findClaim(claims, name);
  // Anybody can enter the address of somebody else where the provider does not verify it.
  if (name === 'email' && claims['email_verified'] !== true) return undefined;
  if (typeof value === 'string') return [value];
  if (Array.isArray(value)) return value.filter((one) => typeof one === 'string');
  if (!isRecord(value)) return undefined;
  return Object.keys(value).filter((group) => value[group] !== false && value[group] !== null);
}

function readName(claims: Claims, nameClaim: string): string | undefined {
  for (const name of [nameClaim, 'name', 'preferred_username', 'email']) {
    const value = findClaim(claims, name);
    const usable = typeof value === 'string' ? toKeyName(value) : undefined;
    if (usable !== undefined) return usable;
  }
  return undefined;
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
