import type { Command } from 'ioredis';

/** Rejects a command that has no reply after `ms`. Received replies are processed first: when the event loop is late, the timer of ioredis would
 *  fire before a reply that has already arrived. */
export function limitDuration(command: Command, ms: number): void {
  const timeOut = () => command.reject(new Error('Command timed out'));
  const timer = setTimeout(() => setImmediate(timeOut), ms);
  const settled = () => clearTimeout(timer);
  command.promise.then(settled, settled);
}
