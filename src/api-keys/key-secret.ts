import { createHash, randomBytes } from 'node:crypto';

const keyShape = /^lm_([0-9a-f]{12})_[\w-]{43}$/;

/** A new key of 256 random bits, and what is stored of it: a public part to find it by, and a hash of the whole. */
export function createSecret() {
  const publicPart = randomBytes(6).toString('hex');
  const key = `${beginOf(publicPart)}_${randomBytes(32).toString('base64url')}`;
  return { key, publicPart, hash: hashOf(key) };
}

/** What a key with this public part begins with, and no secret. */
export const beginOf = (publicPart: string) => `lm_${publicPart}`;

/** The public part of a key, or undefined for what cannot be one. */
export const publicPartOf = (key: string): string | undefined => keyShape.exec(key)?.[1];

/** What is stored of a whole key. */
export const hashOf = (key: string): Buffer => createHash('sha256').update(key).digest();
