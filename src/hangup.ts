import { closeSync, openSync } from 'node:fs';

/** Calls `onHangup` for each SIGHUP, which would end the process at once otherwise; where its terminal was closed, `endProcess` instead. */
export function onSighup(endProcess: (reason: string) => void, onHangup: () => void): void {
  const hasTerminal = process.stdin.isTTY || process.stdout.isTTY;
  process.on('SIGHUP', () => {
    if (hasTerminal && !canOpenTerminal()) endProcess('the terminal was closed');
    else onHangup();
  });
}

function canOpenTerminal(): boolean {
  try {
    closeSync(openSync('/dev/tty', 'r'));
    return true;
  } catch {
    return false;
  }
}
