import { createHash, randomBytes } from 'node:crypto';

const shape = /^[\w-]{43}$/;

/** A new token of 256 random bits, of a session or a sign-in link. */
export const createToken = (): string => randomBytes(32).toString('base64url');

/** Whether a text can be a token. */
export const isToken = (text: string): boolean => shape.test(text);

/** The stored hash of a token. */
export const hashOf = (token: string): Buffer => createHash('sha256').update(token).digest();
