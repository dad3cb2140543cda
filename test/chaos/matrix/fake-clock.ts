import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fetchDebianPackages, hasDebianPackages } from '../../../scripts/services/debian-packages.ts';
import { run } from '../../../scripts/services/run-command.ts';

export type FakeClock = Awaited<ReturnType<typeof createFakeClock>>;

/** A clock for processes started with its settings. It can be moved while they run; their monotonic clock is
 *  unaffected. Fetches Debian's libfaketime. */
export async function createFakeClock() {
  if (!hasDebianPackages()) throw new Error('moving the clock of a process requires Debian or a derivative');
  const packages = await fetchDebianPackages(['libfaketime'], '.cache', { isUsable: movesClock });
  const folder = await mkdtemp(path.join(tmpdir(), 'linkmill-clock-'));
  const file = path.join(folder, 'offset');
  let offsetSeconds = 0;
  const setOffset = async (seconds: number) => {
    await writeFile(file, `${seconds < 0 ? '-' : '+'}${Math.abs(seconds)}\n`);
    offsetSeconds = seconds;
  };
  await setOffset(0);
  return {
    settings: {
      LD_PRELOAD: libraryIn(packages),
      FAKETIME_TIMESTAMP_FILE: file,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      DONT_FAKE_MONOTONIC: '1',
    },
    /** Sets the offset of the clock; negative values set it back. */
    setOffset,
    /** Current time of the clock, in milliseconds like Date.now(). */
    now: () => Date.now() + offsetSeconds * 1_000,
    remove: async () => await rm(folder, { recursive: true, force: true }),
  };
}

function libraryIn(folder: string): string {
  const triplet = process.arch === 'arm64' ? 'aarch64-linux-gnu' : 'x86_64-linux-gnu';
  return path.join(folder, 'usr/lib', triplet, 'faketime/libfaketimeMT.so.1');
}

/** The loader ignores an unusable library, so check that the clock moves. */
async function movesClock(folder: string): Promise<boolean> {
  const env = { ...process.env, LD_PRELOAD: libraryIn(folder), FAKETIME: '+10d', DONT_FAKE_MONOTONIC: '1' };
  const now = await run(process.execPath, ['-p', 'Date.now()'], { env }).catch(() => '');
  return Number(now) > Date.now() + 9 * 86_400_000;
}
