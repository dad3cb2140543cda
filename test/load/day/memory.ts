import { readFile } from 'node:fs/promises';

/** Reads the peak memory of a process, in megabytes (Linux). */
export async function readPeakMegabytes(pid: number): Promise<number> {
  const [, kilobytes = 'NaN'] =
    /^VmHWM:\s+(\d+) kB$/m.exec(await readFile(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kilobytes) / 1_024;
}
