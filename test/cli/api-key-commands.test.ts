import { expect, test } from 'vitest';
import { commands } from '../../src/cli/api-key-commands.ts';

test.each([
  ['create', { name: ' ' }, '--name must not be empty'],
  ['create', { name: 'a\tb' }, '--name must be one line'],
  ['create', { name: 'a', scopes: 'urls:read,root' }, '--scopes must be one of urls:read'],
  ['create', { name: 'a', scopes: '' }, '--scopes must be one of'],
  ['create', { name: 'a', 'expires-in-days': '0' }, '--expires-in-days must be above 0'],
  ['create', { name: 'a', 'expires-in-days': '1e9' }, '--expires-in-days must be a number'],
  ['create', { name: 'a', id: '1' }, '--id is not an option of this command'],
  ['rotate', {}, '--id is required'],
  ['rotate', { id: '1.5' }, '--id must be a whole number'],
  ['rotate', { id: '1', 'grace-hours': '721' }, '--grace-hours must be at most 720'],
  ['rotate', { id: '1', 'grace-hours': '-1' }, '--grace-hours must be a number'],
  ['revoke', { id: '' }, '--id must be a number'],
  ['list', { id: '1' }, '--id is not an option of this command'],
  ['revoke', { id: '1', json: true }, '--json is not an option of this command'],
] as const)('%s with %j is rejected: %s', (name, options, reason) => {
  expect(() => commands[name](options)).toThrow(reason);
});
