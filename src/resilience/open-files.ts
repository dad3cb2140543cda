import { readdirSync } from 'node:fs';

/** Files and sockets that a process may need in addition to those that it has open and those of its stores. */
const spare = 16;
/** Where the system does not say how many are open. */
const usuallyOpen = 64;

/** How many files and sockets a process may have open at once (`ulimit -n`); Infinity where the system does not say. */
export function readOpenFileLimit(): number {
  const { userLimits } = process.report.getReport() as {
    userLimits?: { open_files?: { soft?: number | 'unlimited' } };
  };
  const limit = userLimits?.open_files?.soft;
  return typeof limit === 'number' ? limit : Infinity;
}

/** How many connections a process can accept beside what it has open now and what its stores may open later; at least one. */
export function readConnectionRoom(storeConnections: number): number {
  return Math.max(1, readOpenFileLimit() - countOpenFiles() - storeConnections - spare);
}

function countOpenFiles(): number {
  try {
    return readdirSync('/dev/fd').length;
  } catch {
    return usuallyOpen;
  }
}
