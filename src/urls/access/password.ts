import { randomBytes, scrypt, type ScryptOptions, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { createConcurrencyLimit } from '../../resilience/concurrency-limit.ts';

const scryptAsync = promisify<string, Buffer, number, ScryptOptions, Buffer>(scrypt);

/** Each attempt costs 16 MB, some hundred milliseconds and a thread of the pool; one of OWASP's recommended scrypt
 *  parameter sets. */
const cost = { ln: 14, r: 8, p: 5 };
const [saltBytes, hashBytes] = [16, 32];
/** The highest cost that a hash written by another program may have. */
const maxMemoryBytes = 64 * 1024 * 1024;
const maxParallel = 16;

const hashShape =
  /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]{22,86})\$([A-Za-z0-9+/]{43})$/;

const toBase64 = (bytes: Buffer) => bytes.toString('base64').replaceAll('=', '');

/** Normalises first: keyboards differ in the characters that they produce for the same letter. */
async function hash(password: string, salt: Buffer, { ln, r, p }: typeof cost): Promise<Buffer> {
  const options = { N: 2 ** ln, r, p, maxmem: maxMemoryBytes };
  return await scryptAsync(password.normalize('NFKC'), salt, hashBytes, options);
}

/** Hashes a text that may contain a password, deterministically for a salt, at the same cost as a stored password.
 *  Runs off the event loop. */
export const hashWithSalt = async (text: string, salt: string): Promise<Buffer> =>
  await hash(text, Buffer.from(salt), cost);

/** Creates the stored form of a password: a salted hash with its parameters, as `$scrypt$ln=…,r=…,p=…$salt$hash`. Runs
 *  off the event loop. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(saltBytes);
  const hashed = await hash(password, salt, cost);
  return `$scrypt$ln=${cost.ln},r=${cost.r},p=${cost.p}$${toBase64(salt)}$${toBase64(hashed)}`;
}

/** Whether a password matches a stored hash, compared in constant time. False if the stored text is no valid hash.
 *  Runs off the event loop. */
export async function checkPassword(password: string, stored: string): Promise<boolean> {
  const [, ln, r, p, salt, expected] = hashShape.exec(stored) ?? [];
  if (salt === undefined || expected === undefined) return false;
  const parameters = { ln: Number(ln), r: Number(r), p: Number(p) };
  if (!isAffordable(parameters)) return false;
  const hashed = await hash(password, Buffer.from(salt, 'base64'), parameters);
  return timingSafeEqual(hashed, Buffer.from(expected, 'base64'));
}

const isAffordable = ({ ln, r, p }: typeof cost) =>
  ln > 0 && r > 0 && p > 0 && p <= maxParallel && 128 * r * (2 ** ln + p + 2) <= maxMemoryBytes;

export type PasswordHashing = ReturnType<typeof createPasswordHashing>;

/** Limits the concurrent hashing of all write requests together, so that it does not delay the password checks of
 *  visitors. Throws Overloaded when the queue is full. */
export function createPasswordHashing(limits: { concurrency: number; queueSize: number }) {
  const limited = createConcurrencyLimit(limits);
  return {
    hashPassword: async (password: string) => await limited(async () => await hashPassword(password)),
    hashWithSalt: async (text: string, salt: string) =>
      await limited(async () => await hashWithSalt(text, salt)),
  };
}
