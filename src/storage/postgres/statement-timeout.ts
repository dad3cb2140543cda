import knex from 'knex';
import { Overloaded } from '../../resilience/overloaded.ts';

/** PostgreSQL was told to give up what took too long; the message is for who asked. */
export class StatementTimeout extends Error {
  override readonly name = 'StatementTimeout';
}

/** Throws what an error means of statements that were bounded in time, on connections that are few: StatementTimeout with that message,
 *  Overloaded, or the error itself. */
export function rethrowTimeout(error: unknown, message: string): never {
  if (isGivenUp(error)) throw new StatementTimeout(message, { cause: error });
  if (error instanceof knex.KnexTimeoutError) throw new Overloaded('too many of its kind are waiting');
  throw error;
}

/** By statement_timeout or lock_timeout. */
const isGivenUp = (error: unknown) =>
  error instanceof Error && 'code' in error && (error.code === '57014' || error.code === '55P03');
