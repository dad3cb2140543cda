import { Overloaded } from '../../resilience/overloaded.ts';
import { isLockTimeout, isPoolTimeout, isStatementCanceled } from './errors.ts';

/** PostgreSQL was told to give up what took too long; the message is for who asked. */
export class StatementTimeout extends Error {
  override readonly name = 'StatementTimeout';
}

/** Throws what an error means of statements that were bounded in time, on connections that are few: StatementTimeout with that message,
 *  Overloaded, or the error itself. */
export function rethrowTimeout(error: unknown, message: string): never {
  if (isStatementCanceled(error) || isLockTimeout(error))
    throw new StatementTimeout(message, { cause: error });
  if (isPoolTimeout(error)) throw new Overloaded('too many of its kind are waiting');
  throw error;
}
