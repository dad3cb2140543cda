import { expect, test } from 'vitest';
import { readBasePackages } from '../../scripts/services/debian-base.ts';

/** One package of a dpkg status. */
const stanza = (name: string, fields: Record<string, string> = {}) =>
  Object.entries({ Package: name, Status: 'install ok installed', Version: '1', ...fields })
    .map(([field, value]) => `${field}: ${value}\n`)
    .join('');

const namesOf = (...stanzas: string[]) => [...readBasePackages(stanzas.join('\n')).names].toSorted();

test('the base system has each essential package and its direct and indirect dependencies', () => {
  const names = namesOf(
    stanza('bash', { Essential: 'yes', 'Pre-Depends': 'libc6 (>= 2.36), libtinfo6 (>= 6)' }),
    stanza('libc6', { Depends: 'libgcc-s1:amd64' }),
    stanza('libgcc-s1'),
    stanza('libtinfo6'),
    stanza('redis-tools', { Depends: 'libc6' }),
  );
  expect(names).toEqual(['bash', 'libc6', 'libgcc-s1', 'libtinfo6']);
});

test('alternatives, virtual packages and dependencies on continued lines are resolved', () => {
  const names = namesOf(
    stanza('base-files', { Essential: 'yes', 'Pre-Depends': 'awk', Depends: 'not-there | there,\n other' }),
    stanza('mawk', { Provides: 'awk (= 1)' }),
    stanza('there'),
    stanza('other'),
  );
  expect(names).toEqual(['base-files', 'mawk', 'other', 'there']);
});

test('a removed package whose settings are kept is not in the base system', () => {
  const removed = stanza('sed', { Essential: 'yes', Status: 'deinstall ok config-files' });
  expect(readBasePackages(removed)).toEqual({ names: new Set(), status: '' });
});

test('the status of the base system has no dependencies, so apt reports none as missing', () => {
  const { status } = readBasePackages(
    stanza('dash', { Essential: 'yes', Depends: 'not-there', Status: 'install ok half-configured' }),
  );
  expect(status).toBe('Package: dash\nVersion: 1\nEssential: yes\nStatus: install ok installed\n');
});
