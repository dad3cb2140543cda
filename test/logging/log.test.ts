import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';

test('the log of a rejected Redis login has its reason but not the password', () => {
  const script = `
    import { createLog } from './src/log.ts';
    const command = { name: 'auth', args: ['linkmill', 'hunter2-secret'] };
    const refused = Object.assign(new Error('WRONGPASS invalid password'), { command });
    const log = createLog('test', 'info');
    log.warn({ err: refused }, 'refused');
    log.warn({ err: Object.assign(new Error('outer', { cause: refused }), { previousErrors: [refused] }) }, 'nested');
    const circle = new Error('circle');
    log.warn({ err: Object.assign(circle, { circle, self: { circle } }) }, 'circular');
    log.warn({ err: new AggregateError([refused], 'all') }, 'aggregate');`;
  const { stdout } = spawnSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
    encoding: 'utf8',
  });
  expect(stdout).toContain('WRONGPASS');
  expect(stdout).toContain('"command":"auth"');
  expect(stdout).toContain('circular');
  expect(stdout).toContain('aggregate');
  expect(stdout).not.toContain('hunter2-secret');
});
