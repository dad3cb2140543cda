import { expect, test } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { webSettings } from '../../src/config/web.ts';
import { needed, problemsOf } from './web-problems.ts';

const provider = {
  OIDC_ISSUER: 'https://id.example/realms/works',
  OIDC_CLIENT_ID: 'linkmill',
  OIDC_CLIENT_SECRET: 'secret-3',
};

test('three settings are enough for single sign-on, and people have few permissions by default', () => {
  expect(loadConfig(webSettings, { ...needed, ...provider })).toMatchObject({
    ...provider,
    OIDC_SCOPES: 'openid profile email',
    OIDC_GROUPS_CLAIM: ['groups'],
    OIDC_API_KEY_SCOPES: ['urls:read', 'urls:write', 'stats:read'],
    OIDC_OWN_URLS_ONLY: true,
    OIDC_SESSION_HOURS: 24,
  });
  expect(loadConfig(webSettings, needed).OIDC_ISSUER).toBeUndefined();
});

test('a missing part is named', () => {
  for (const name of Object.keys(provider)) {
    const [problem, ...more] = problemsOf({ ...provider, [name]: undefined });
    expect(problem).toContain(`${name} is not set, but OIDC_`);
    expect(more).toEqual([]);
  }
  expect(problemsOf({ OIDC_CLIENT_SECRET: 'secret-3' })).toHaveLength(2);
});

test('the issuer needs https, except on this machine', () => {
  const problem = (issuer: string) => problemsOf({ ...provider, OIDC_ISSUER: issuer });
  for (const issuer of [
    'https://id.example',
    'http://localhost:8080',
    'http://127.0.0.1:1',
    'http://[::1]:8080/x',
  ])
    expect(problem(issuer)).toEqual([]);
  for (const issuer of [
    'id.example',
    'ftp://id.example',
    'http://id.example',
    'http://192.168.1.5:8080',
    'http://localhost.evil.example',
    'https://id.example/.well-known/openid-configuration',
    'https://id.example/?x=1',
    'https://id.example/#x',
    'https://user:secret-4@id.example',
  ]) {
    expect(problem(issuer), issuer).toEqual([expect.stringMatching(/^OIDC_ISSUER must /)]);
    expect(problem(issuer)[0]).not.toContain('secret');
  }
});

test('a provider at which everybody can get an account needs a group of users', () => {
  for (const OIDC_ISSUER of [
    'https://accounts.google.com',
    'https://accounts.google.com/',
    'https://ACCOUNTS.google.com:443',
    'https://gitlab.com',
    'https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0',
  ]) {
    expect(problemsOf({ ...provider, OIDC_ISSUER, OIDC_ADMIN_GROUP: 'ada@example.com' })).toEqual([
      `OIDC_USER_GROUP is not set, but everybody can get an account at ${OIDC_ISSUER}`,
    ]);
    expect(problemsOf({ ...provider, OIDC_ISSUER, OIDC_USER_GROUP: 'example.com' })).toEqual([]);
  }
  for (const OIDC_ISSUER of ['https://accounts.google.com.id.example', 'https://gitlab.example'])
    expect(problemsOf({ ...provider, OIDC_ISSUER })).toEqual([]);
});

test('an issuer of all Entra tenants is rejected, with a group too', () => {
  for (const tenant of ['common', 'organizations', 'consumers', 'Common']) {
    const OIDC_ISSUER = `https://login.microsoftonline.com/${tenant}/v2.0`;
    expect(problemsOf({ ...provider, OIDC_ISSUER, OIDC_USER_GROUP: 'users' })).toEqual([
      expect.stringMatching(/^OIDC_ISSUER must name your tenant/),
    ]);
  }
  const OIDC_ISSUER = 'https://login.microsoftonline.com/8eaef023-2b34-4da1-9baa-8bc8c9d6a490/v2.0';
  expect(problemsOf({ ...provider, OIDC_ISSUER })).toEqual([]);
});

test('contradicting or unknown scopes are rejected', () => {
  expect(problemsOf({ ...provider, OIDC_API_KEY_SCOPES: 'urls:read,jobs:run' })).toEqual([
    'OIDC_OWN_URLS_ONLY must be false with admin or jobs:run in OIDC_API_KEY_SCOPES',
  ]);
  expect(
    problemsOf({ ...provider, OIDC_API_KEY_SCOPES: 'urls:read, jobs:run', OIDC_OWN_URLS_ONLY: 'false' }),
  ).toEqual([]);
  expect(problemsOf({ ...provider, OIDC_API_KEY_SCOPES: 'root' })[0]).toContain(
    'must be scopes, such as urls:read',
  );
  expect(problemsOf({ ...provider, OIDC_SCOPES: 'profile email' })).toEqual([
    'OIDC_SCOPES must contain openid',
  ]);
});
