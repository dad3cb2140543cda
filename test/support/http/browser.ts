import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium } from 'playwright-core';
import {
  debianLibraryPath,
  fetchDebianPackages,
  hasDebianPackages,
} from '../../../scripts/services/debian-packages.ts';
import { listExecutables, run } from '../../../scripts/services/run-command.ts';

const cache = fileURLToPath(new URL('../../../.cache', import.meta.url));
const appFolders = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
];
const quiet = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Opens a headless Chromium that sends no requests of its own: from CHROMIUM_PATH, installed, or fetched into .cache
 *  on Debian. Otherwise throws an Error with the command that installs one. */
export async function openBrowser(): Promise<Browser> {
  const { executablePath, env } = await findChromium();
  return chromium.launch({ executablePath, args: quiet, env: { ...withoutUndefined(process.env), ...env } });
}

interface Chromium {
  executablePath: string;
  env: Record<string, string>;
}

/** Finds a Chromium, and the environment that it needs. */
export async function findChromium(): Promise<Chromium> {
  const given = process.env['CHROMIUM_PATH'];
  if (given) return { executablePath: given, env: {} };
  const installed = listExecutables([
    'chromium',
    'chromium-browser',
    'google-chrome',
    'google-chrome-stable',
  ]);
  for (const executablePath of [...installed, ...appFolders.filter((file) => existsSync(file))]) {
    // Ubuntu's chromium-browser is a script that needs snap.
    if (await runs({ executablePath, env: {} })) return { executablePath, env: {} };
  }
  if (!hasDebianPackages()) throw new Error(whatToInstall);
  const folder = await fetchDebianPackages(['chromium'], cache, {
    isUsable: async (copy) => runs(await ownCopy(copy)),
  }).catch((error: unknown) => {
    throw new Error(whatToInstall, { cause: error });
  });
  return ownCopy(folder);
}

async function ownCopy(folder: string): Promise<Chromium> {
  return {
    // Its usr/bin/chromium is a script that needs an installation.
    executablePath: path.join(folder, 'usr/lib/chromium/chromium'),
    env: { LD_LIBRARY_PATH: debianLibraryPath(folder), ...(await fontsOf(folder)) },
  };
}

async function runs({ executablePath, env }: Chromium): Promise<boolean> {
  const version = await run(executablePath, ['--version'], { env: { ...process.env, ...env } }).catch(
    () => '',
  );
  return /\d+\.\d+/.test(version);
}

/** Provides the fetched fonts to a machine without any; otherwise pages have no visible text. */
async function fontsOf(folder: string): Promise<Record<string, string>> {
  const own = path.join(folder, 'etc/fonts/fonts.conf');
  if (existsSync('/etc/fonts/fonts.conf') || !existsSync(own)) return {};
  const config = path.join(folder, 'fonts.conf');
  const fonts = path.join(folder, 'usr/share/fonts');
  await writeFile(config, `<fontconfig><include>${own}</include><dir>${fonts}</dir></fontconfig>`);
  return { FONTCONFIG_FILE: config };
}

function withoutUndefined(env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

const whatToInstall =
  'no Chromium or Chrome was found: install one (apt-get install chromium), or name its executable in CHROMIUM_PATH';
