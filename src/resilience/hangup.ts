/** Calls `onHangup` for each SIGHUP, which would end the process at once otherwise. In a terminal it still does: there it means that the
 *  terminal was closed, and nothing can be logged any more. */
export function onSighup(onHangup: () => void): void {
  if (!process.stdin.isTTY && !process.stdout.isTTY) process.on('SIGHUP', onHangup);
}
