import { createHash, randomBytes } from 'node:crypto';

const keyShape = /^lm_([0-9a-f]{12})_[\w-]{43}$/;

/** A new key of 256 random bits, with its stored form: a public part for look-ups, and a hash of the whole key. */
export function createSecret() {
  const publicPart = randomBytes(6).toString('hex');
  const key = `${prefixOf(publicPart)}_${randomBytes(32).toString('base64url')}`;
  return { key, publicPart, hash: hashOf(key) };
}

/** The first characters of a key with this public part; not secret. */
export const prefixOf = (publicPart: string) => `lm_${publicPart}`;

/** The public part of a key; undefined if the text cannot be a key. */
export const publicPartOf = (key: string): string | undefined => keyShape.exec(key)?.[1];

/** The stored hash of a key. */
export const hashOf = (key: string): Buffer => createHash('sha256').update(key).digest();
