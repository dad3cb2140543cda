/** Calls `onHangup` for each SIGHUP, which would end the process otherwise. In a terminal the signal still ends it: the terminal was
 *  closed. */
export function onSighup(onHangup: () => void): void {
  if (!process.stdin.isTTY && !process.stdout.isTTY) process.on('SIGHUP', onHangup);
}
