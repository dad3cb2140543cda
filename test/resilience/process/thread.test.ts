import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

test('a thread of a TypeScript process runs TypeScript', async () => {
  const script = `
    import { createQrThread } from './src/qr/qr-thread.ts';
    const thread = createQrThread();
    const style = { level: 'M', size: 200, margin: 4, dark: '#000000ff', light: '#ffffffff' };
    console.log(String(await thread.render({ format: 'svg', text: 'https://sho.rt/a', style })).slice(0, 4));
    await thread.close();`;
  const args = ['--import', 'tsx', '--input-type=module', '-e', script];
  expect((await promisify(execFile)(process.execPath, args)).stdout).toBe('<svg\n');
});
