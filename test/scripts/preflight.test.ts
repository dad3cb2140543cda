import { spawnSync } from 'node:child_process';
import { chmod, copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

const isRoot = process.getuid?.() === 0;
let checkout: string;

beforeEach(async () => {
  checkout = await mkdtemp(path.join(tmpdir(), 'linkmill Prüfung '));
  await chmod(checkout, 0o755);
  await mkdir(path.join(checkout, 'scripts'));
  for (const file of ['package.json', 'scripts/preflight.cjs'])
    await copyFile(file, path.join(checkout, file));
});

afterEach(async () => {
  await chmod(checkout, 0o755);
  await rm(checkout, { recursive: true, force: true });
});

async function put(...files: string[]) {
  for (const file of files) {
    await mkdir(path.join(checkout, path.dirname(file)), { recursive: true });
    await writeFile(path.join(checkout, file), '');
  }
}

const installed = (...names: string[]) => put(...names.map((name) => `node_modules/${name}/package.json`));

function preflight(args: string[] = [], user: { uid?: number; gid?: number } = {}) {
  const file = path.join(checkout, 'scripts/preflight.cjs');
  const { status, stderr } = spawnSync(process.execPath, [file, ...args], { encoding: 'utf8', ...user });
  return { status, stderr };
}

test('a complete checkout passes without output', async () => {
  await installed('pino', 'tsx', 'typescript');
  expect(preflight()).toEqual({ status: 0, stderr: '' });
});

test('a checkout without dependencies is reported with the install command', () => {
  const { status, stderr } = preflight();
  expect(status).toBe(1);
  expect(stderr).toContain('dependencies are not installed. Run: npm ci --include=dev\n');
});

test('missing development dependencies are reported with the command that installs them', async () => {
  await installed('pino');
  const { status, stderr } = preflight();
  expect(status).toBe(1);
  expect(stderr).toMatch(/^linkmill: development dependencies .* Run: npm ci --include=dev$/m);
});

test('a command of the build needs no development dependencies and reports a missing build', async () => {
  await installed('pino');
  const unbuilt = preflight(['built']);
  expect(unbuilt.status).toBe(1);
  expect(unbuilt.stderr).toContain('no build in dist/. Run: npm ci --include=dev && npm run build\n');
  await put('dist/src/web.js');
  expect(preflight(['built'])).toEqual({ status: 0, stderr: '' });
});

test('an outdated Node.js is reported first, with the oldest supported version', async () => {
  const manifest = path.join(checkout, 'package.json');
  await writeFile(manifest, (await readFile(manifest, 'utf8')).replace('>=20.19', '>=99.1'));
  for (const args of [[], ['built']]) {
    const { status, stderr } = preflight(args);
    expect(status).toBe(1);
    expect(stderr).toContain(`Node ${process.versions.node} is too old. Install Node 99.1 or newer`);
  }
});

test.each(['', 'dist', '.cache'])('a read-only folder "%s" is reported with two remedies', async (name) => {
  await installed('pino', 'tsx', 'typescript');
  const folder = path.join(checkout, name);
  await mkdir(folder, { recursive: true });
  // As root nothing is read-only, and this user may not write where root does.
  const user = isRoot ? { uid: 65_534, gid: 65_534 } : {};
  if (isRoot) await chmod(checkout, name === '' ? 0o755 : 0o777);
  await chmod(folder, 0o555);
  const { status, stderr } = preflight([], user);
  expect(status).toBe(1);
  expect(stderr).toContain(`${folder.replace(/\/$/, '')} is not writable for this user.`);
  expect(stderr).toContain(`sudo chown -R "$(id -un)" '${folder.replace(/\/$/, '')}'`);
  expect(stderr).toContain(`cp -R '${checkout}' ~/linkmill; cd ~/linkmill && npm ci --include=dev`);
});
