import { expect, test } from 'vitest';
import { findClaim, neededClaims, type PersonRules, readPerson } from '../../src/single-sign-on/claims.ts';
import type { SignInFailed } from '../../src/single-sign-on/sign-in-failed.ts';

const rules: PersonRules = {
  nameClaim: 'name',
  groupsClaims: ['groups'],
  adminGroup: 'admins',
  userGroup: undefined,
  scopes: ['urls:read'],
  ownUrlsOnly: true,
};
const claims = { iss: 'https://id.example', sub: '1', name: 'Ada' };
const admin = { scopes: ['admin'], ownUrlsOnly: false };
const user = { scopes: ['urls:read'], ownUrlsOnly: true };

test('a claim has its name, or is a member of another claim', () => {
  const nested = { 'https://example.com/groups': 1, 'a.b': 2, a: { b: 3, c: { d: 4 } }, list: [5] };
  expect(findClaim(nested, 'https://example.com/groups')).toBe(1);
  expect(findClaim(nested, 'a.b')).toBe(2);
  expect(findClaim(nested, 'a.c.d')).toBe(4);
  for (const name of ['a.c.e', 'list.0', 'toString', 'constructor', 'a.constructor.name', '__proto__.x', ''])
    expect(findClaim(nested, name), name).toBeUndefined();
});

test('the scope admin needs the admin group in exactly this spelling', () => {
  for (const groups of [['admins'], 'admins', ['x', 'admins'], { admins: {} }])
    expect(readPerson({ ...claims, groups }, rules)).toMatchObject(admin);
  for (const groups of [
    undefined,
    [],
    'Admins',
    'admins ',
    ['/admins'],
    'x,admins',
    [['admins']],
    { x: 'admins' },
    { admins: false },
    { admins: null },
  ])
    expect(readPerson({ ...claims, groups }, rules)).toMatchObject(user);
  expect(
    readPerson({ ...claims, groups: ['admins', 'undefined'] }, { ...rules, adminGroup: undefined }),
  ).toMatchObject(user);
});

test('an e-mail address names an administrator only if the provider has verified it', () => {
  const byEmail = { ...rules, groupsClaims: ['email'], adminGroup: 'ada@example.com' };
  const email = 'ada@example.com';
  expect(readPerson({ ...claims, email, email_verified: true }, byEmail)).toMatchObject(admin);
  for (const verified of [undefined, false, 'true', 1])
    expect(readPerson({ ...claims, email, email_verified: verified }, byEmail)).toMatchObject(user);
});

test('a person is in the groups of all claims, and an unverified address stays out of them', () => {
  const google = {
    ...rules,
    groupsClaims: ['email', 'hd'],
    adminGroup: 'ada@example.com',
    userGroup: 'example.com',
  };
  expect(neededClaims(google)).toEqual(['name', 'email', 'hd', 'email_verified']);
  const [hd, email] = ['example.com', 'ada@example.com'];
  expect(readPerson({ ...claims, hd, email, email_verified: true }, google)).toMatchObject(admin);
  expect(readPerson({ ...claims, hd, email, email_verified: false }, google)).toMatchObject(user);
  expect(readPerson({ ...claims, hd, email: 'bob@example.com', email_verified: true }, google)).toMatchObject(
    user,
  );
  const reasonFor = (more: Record<string, unknown>) => {
    try {
      return readPerson({ ...claims, ...more }, google);
    } catch (error) {
      return (error as SignInFailed).reason;
    }
  };
  expect(reasonFor({ email: 'eve@gmail.com', email_verified: true })).toBe('not-member');
  expect(reasonFor({ email, email_verified: false })).toBe('no-groups');
});

test('a person without a usable name has their user name, address or subject', () => {
  const nameOf = (more: Record<string, unknown>) => readPerson({ ...claims, ...more }, rules).name;
  expect(nameOf({ name: ' ', preferred_username: 'ada' })).toBe('ada');
  expect(nameOf({ name: null, email: 'ada@example.com' })).toBe('ada@example.com');
  expect(nameOf({ name: undefined })).toBe('1');
});
