import { randomBytes, scrypt, type ScryptOptions, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';

const derive = promisify<string, Buffer, number, ScryptOptions, Buffer>(scrypt);

/** Costs an attacker 16 MB and some hundred milliseconds for each try, and a thread of the pool the same. */
const cost = { ln: 14, r: 8, p: 5 };
const [saltBytes, hashBytes] = [16, 32];
/** What a hash may cost that another program has written. */
const maxMemoryBytes = 64 * 1024 * 1024;
const maxParallel = 16;

const hashShape =
  /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]{22,86})\$([A-Za-z0-9+/]{43})$/;

const toBase64 = (bytes: Buffer) => bytes.toString('base64').replaceAll('=', '');

/** The same letters may be typed as different characters. */
async function hash(password: string, salt: Buffer, { ln, r, p }: typeof cost): Promise<Buffer> {
  const options = { N: 2 ** ln, r, p, maxmem: maxMemoryBytes };
  return await derive(password.normalize('NFKC'), salt, hashBytes, options);
}

/** A hash of a text that may hold a password, always the same with the same salt: no more than what is stored of a password does
 *  it help whoever tries passwords. The work is done off the event loop. */
export const hashSlowly = async (text: string, salt: string): Promise<Buffer> =>
  await hash(text, Buffer.from(salt), cost);

/** What is stored of a password: a salted hash and what it was made with, as `$scrypt$ln=…,r=…,p=…$salt$hash`. The work is done
 *  off the event loop. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(saltBytes);
  const hashed = await hash(password, salt, cost);
  return `$scrypt$ln=${cost.ln},r=${cost.r},p=${cost.p}$${toBase64(salt)}$${toBase64(hashed)}`;
}

/** Whether this is the password that was hashed, compared in constant time; no password is that of a text that is no such hash.
 *  The work is done off the event loop. */
export async function checkPassword(password: string, stored: string): Promise<boolean> {
  const [, ln, r, p, salt, expected] = hashShape.exec(stored) ?? [];
  if (salt === undefined || expected === undefined) return false;
  const given = { ln: Number(ln), r: Number(r), p: Number(p) };
  if (!isAffordable(given)) return false;
  const hashed = await hash(password, Buffer.from(salt, 'base64'), given);
  return timingSafeEqual(hashed, Buffer.from(expected, 'base64'));
}

const isAffordable = ({ ln, r, p }: typeof cost) =>
  ln > 0 && r > 0 && p > 0 && p <= maxParallel && 128 * r * (2 ** ln + p + 2) <= maxMemoryBytes;
