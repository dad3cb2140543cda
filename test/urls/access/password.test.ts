import { scryptSync } from 'node:crypto';
import { expect, test } from 'vitest';
import { checkPassword, hashPassword } from '../../../src/urls/access/password.ts';

test('a password matches only its own hashes, which differ each time', async () => {
  const [one, other] = await Promise.all([hashPassword('open sesame'), hashPassword('open sesame')]);
  expect(one).not.toBe(other);
  expect(one).not.toContain('sesame');
  expect(await checkPassword('open sesame', one)).toBe(true);
  expect(await checkPassword('open sesame', other)).toBe(true);
  for (const wrong of ['', 'open Sesame', 'open sesame ', 'open'])
    expect(await checkPassword(wrong, one), wrong).toBe(false);
});

test('a password matches in every Unicode form of its letters', async () => {
  expect(await checkPassword('cafe\u{301}', await hashPassword('caf\u{e9}'))).toBe(true);
});

test('a hash with other parameters is still verified', async () => {
  const salt = Buffer.alloc(16, 7);
  const cheap = scryptSync('word', salt, 32, { N: 2 ** 10, r: 4, p: 1 });
  const text = (bytes: Buffer) => bytes.toString('base64').replaceAll('=', '');
  const stored = `$scrypt$ln=10,r=4,p=1$${text(salt)}$${text(cheap)}`;
  expect(await checkPassword('word', stored)).toBe(true);
  expect(await checkPassword('sword', stored)).toBe(false);
});

test('an invalid or too expensive hash matches no password', async () => {
  const hash = await hashPassword('word');
  for (const stored of [
    '',
    'word',
    hash.slice(0, -1),
    `${hash}A`,
    hash.replace('ln=14', 'ln=0'),
    hash.replace('ln=14', 'ln=25'),
    hash.replace('p=5', 'p=99'),
    hash.replace('r=8', 'r=0'),
  ])
    expect(await checkPassword('word', stored), stored).toBe(false);
});

test('hashing a password does not block the event loop', async () => {
  let turns = 0;
  const counting = setInterval(() => (turns += 1), 1);
  await hashPassword('word');
  clearInterval(counting);
  expect(turns).toBeGreaterThan(5);
});
