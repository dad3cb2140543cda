import { readdirSync } from 'node:fs';

/** Reserve of files and sockets beside those that are open and those of the stores. */
const spare = 16;
/** Assumed number of open files on a system without /dev/fd. */
const usuallyOpen = 64;

/** The limit of open files and sockets (`ulimit -n`); Infinity when it is unknown. */
export function readOpenFileLimit(): number {
  const { userLimits } = process.report.getReport() as {
    userLimits?: { open_files?: { soft?: number | 'unlimited' } };
  };
  const limit = userLimits?.open_files?.soft;
  return typeof limit === 'number' ? limit : Infinity;
}

/** Connections that a process can accept beside its open files and the future connections of its stores; at least one. */
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
