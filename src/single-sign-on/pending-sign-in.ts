import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { z } from 'zod';

/** Minutes for which a person can stay at the provider. */
export const signInMinutes = 10;

/** A sign-in that has begun. The browser keeps it, so that every web process can complete it, and only in this browser. */
const pendingSignIn = z.object({
  /** Binds the answer of the provider to this browser. */
  state: z.string(),
  /** Binds the ID token to this sign-in. */
  nonce: z.string(),
  /** Binds the code to this sign-in (PKCE). */
  verifier: z.string(),
  /** The path to open afterwards, below the base path. */
  returnPath: z.string(),
  /** The token of the session that the browser has, which the sign-in ends: browsers do not send its cookie from another site. */
  session: z.string().optional(),
  expiresAt: z.number(),
});

export type PendingSignIn = z.output<typeof pendingSignIn>;

const algorithm = 'aes-256-gcm';
const [ivLength, tagLength] = [12, 16];

/** Encrypts a sign-in with a key of 32 bytes, for a cookie. */
export function seal(signIn: PendingSignIn, key: Buffer): string {
  const iv = randomBytes(ivLength);
  const cipher = createCipheriv(algorithm, key, iv, { authTagLength: tagLength });
  const content = Buffer.concat([cipher.update(JSON.stringify(signIn)), cipher.final()]);
  return Buffer.concat([iv, cipher.getAuthTag(), content]).toString('base64url');
}

/** Decrypts a sign-in; undefined if the text was not made by `seal` with this key. */
export function unseal(text: string, key: Buffer): PendingSignIn | undefined {
  const bytes = Buffer.from(text, 'base64url');
  const tagEnd = ivLength + tagLength;
  if (bytes.length <= tagEnd) return undefined;
  try {
    const decipher = createDecipheriv(algorithm, key, bytes.subarray(0, ivLength), {
      authTagLength: tagLength,
    });
    decipher.setAuthTag(bytes.subarray(ivLength, tagEnd));
    const content = Buffer.concat([decipher.update(bytes.subarray(tagEnd)), decipher.final()]);
    return pendingSignIn.parse(JSON.parse(content.toString()));
  } catch {
    return undefined;
  }
}
