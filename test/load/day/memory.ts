import { readFile } from 'node:fs/promises';

/** The most memory that a process has had, in megabytes (Linux). */
export async function readPeakMegabytes(pid: number): Promise<number> {
  const [, kilobytes = 'NaN'] =
    /^VmHWM:\s+(\d+) kB$/m.exec(await readFile(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kilobytes) / 1_024;
}
