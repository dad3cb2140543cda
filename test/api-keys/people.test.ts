import { expect, test } from 'vitest';
import { createApiKeys } from '../../src/api-keys/api-keys.ts';
import { createPeople, type Person } from '../../src/api-keys/people.ts';
import { useDatabase } from '../support/resources.ts';

const { db } = useDatabase();

const ada: Person = {
  issuer: 'https://id.example',
  subject: 'ada',
  name: 'Ada',
  scopes: ['urls:read'],
  ownUrlsOnly: true,
};

test('concurrent sign-ins of a person create one API key', async () => {
  const people = createPeople(db());
  const ids = await Promise.all(Array.from({ length: 20 }, async () => await people.admit(ada)));
  expect(new Set(ids).size).toBe(1);
  expect(await createApiKeys(db()).get(ids[0]!)).toMatchObject({ name: 'Ada', publicPart: null });
});

test('the same subject of another provider is another person', async () => {
  const people = createPeople(db());
  const other = { ...ada, issuer: 'https://other.example' };
  expect(await people.admit(other)).not.toBe(await people.admit(ada));
});

test('a revoked person is not admitted, and keeps name and scopes', async () => {
  const [people, apiKeys] = [createPeople(db()), createApiKeys(db())];
  const id = (await people.admit({ ...ada, subject: 'leaver' }))!;
  await apiKeys.revoke(id);
  expect(
    await people.admit({ ...ada, subject: 'leaver', name: 'New', scopes: ['admin'], ownUrlsOnly: false }),
  ).toBe(undefined);
  expect(await apiKeys.get(id)).toMatchObject({ name: 'Ada', scopes: ['urls:read'] });
});

test('the database accepts no key that has both a secret and a person, or neither', async () => {
  const row = { name: 'x', scopes: ['urls:read'] as Person['scopes'] };
  const [secret, person] = [
    { public_part: 'x', key_hash: Buffer.from('x') },
    { issuer: 'i', subject: 's' },
  ];
  for (const parts of [{}, { ...secret, ...person }, { public_part: 'x' }, { issuer: 'i' }])
    await expect(db()('api_keys').insert({ ...row, ...parts })).rejects.toThrow('api_keys_secret_or_person');
});
