import { Overloaded } from '../../resilience/overloaded.ts';
import { isLockTimeout, isPoolTimeout, isStatementCanceled } from './errors.ts';

/** A statement ran into its time limit; the message is for the client. */
export class StatementTimeout extends Error {
  override readonly name = 'StatementTimeout';
}

/** Rethrows an error of a statement with a time limit: as StatementTimeout with this message after a timeout, as Overloaded when no
 *  connection was free, else unchanged. */
export function rethrowTimeout(error: unknown, message: string): never {
  if (isStatementCanceled(error) || isLockTimeout(error))
    throw new StatementTimeout(message, { cause: error });
  if (isPoolTimeout(error)) throw new Overloaded('no connection of the pool is free');
  throw error;
}
