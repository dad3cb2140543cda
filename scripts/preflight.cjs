'use strict';

/** node scripts/preflight.cjs [built]: exits with 1 and a remedy when the npm script that starts it cannot work. With
 *  `built` it checks for a build, otherwise for development dependencies. Runs on outdated Node.js versions and before
 *  an installation, so it uses old JavaScript and built-in modules. */
const fs = require('fs');
const path = require('path');

const root = path.join(__dirname, '..');
const install = 'npm ci --include=dev';
const problem =
  findSystemProblem() ||
  (process.argv[2] === 'built' ? findBuildProblem() : findInstallProblem() || findFolderProblem());
if (problem) {
  console.error(`\nlinkmill: ${problem}\n`);
  process.exit(1);
}

function findSystemProblem() {
  if (process.platform === 'win32') {
    return 'Windows is not supported. Use WSL: https://learn.microsoft.com/windows/wsl/install';
  }
  const { engines } = JSON.parse(fs.readFileSync(inRoot('package.json'), 'utf8'));
  const [oldest, oldestMajor, oldestMinor] = /(\d+)\.(\d+)/.exec(engines.node);
  const [major, minor] = process.versions.node.split('.');
  if ((major - oldestMajor || minor - oldestMinor) >= 0) return '';
  return `Node ${process.versions.node} is too old. Install Node ${oldest} or newer (https://nodejs.org), then run: ${install}`;
}

function findInstallProblem() {
  if (!isInstalled('pino')) return `dependencies are not installed. Run: ${install}`;
  if (isInstalled('tsx') && isInstalled('typescript')) return '';
  return (
    'development dependencies are not installed: NODE_ENV is "production", or npm is told to omit them. ' +
    `Run: ${install}`
  );
}

function findBuildProblem() {
  if (!isInstalled('pino')) return 'dependencies are not installed. Run: npm ci';
  if (fs.existsSync(inRoot('dist/src/web.js'))) return '';
  return `there is no build in dist/. Run: ${install} && npm run build`;
}

/** Builds and private servers are stored in the checkout. */
function findFolderProblem() {
  const folder = [root, inRoot('dist'), inRoot('.cache')].find(isReadOnly);
  if (folder === undefined) return '';
  const owned = `sudo chown -R "$(id -un)" ${quote(folder)}`;
  const copied = `cp -R ${quote(root)} ~/linkmill; cd ~/linkmill && ${install}`;
  return `${folder} is not writable for this user. Run: ${owned}\nor work in a copy: ${copied}`;
}

function isInstalled(name) {
  return fs.existsSync(inRoot(`node_modules/${name}/package.json`));
}

function isReadOnly(folder) {
  try {
    fs.accessSync(folder, fs.constants.W_OK);
    return false;
  } catch (error) {
    return error.code !== 'ENOENT';
  }
}

function inRoot(name) {
  return path.join(root, name);
}

/** Quotes a text as one word of a shell. */
function quote(file) {
  return /^[\w./-]+$/.test(file) ? file : `'${file.replace(/'/g, String.raw`'\''`)}'`;
}
