import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium } from 'playwright-core';
import {
  debianLibraryPath,
  fetchDebianPackages,
  hasDebianPackages,
} from '../../scripts/services/debian-packages.ts';
import { findExecutable } from '../../scripts/services/run.ts';

const cache = fileURLToPath(new URL('../../.cache', import.meta.url));
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

/**
 * Opens a headless Chromium that talks to nobody by itself: the one at CHROMIUM_PATH, an installed one, or on Debian one
 * that is fetched into .cache. Otherwise throws an Error that says what to install.
 */
export async function openBrowser(): Promise<Browser> {
  const { executablePath, env } = await findChromium();
  return chromium.launch({ executablePath, args: quiet, env: { ...withoutUndefined(process.env), ...env } });
}

async function findChromium(): Promise<{ executablePath: string; env: Record<string, string> }> {
  const given = process.env['CHROMIUM_PATH'];
  const installed =
    given ??
    findExecutable(['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']) ??
    appFolders.find((file) => existsSync(file));
  if (installed) return { executablePath: installed, env: {} };
  if (!hasDebianPackages()) throw new Error(whatToInstall);
  const folder = await fetchDebianPackages(['chromium'], cache).catch((error: unknown) => {
    throw new Error(whatToInstall, { cause: error });
  });
  return {
    // Its usr/bin/chromium is a script that expects to be installed.
    executablePath: path.join(folder, 'usr/lib/chromium/chromium'),
    env: { LD_LIBRARY_PATH: debianLibraryPath(folder), ...(await fontsOf(folder)) },
  };
}

/** A machine without fonts of its own gets those that came along: without any, pages have no text to see. */
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
