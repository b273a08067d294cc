import pg from 'pg';
import { StorageFullError, StorageUnavailable, UnstorableText } from '../storage-errors.js';

/** The codes of https://www.postgresql.org/docs/current/errcodes-appendix.html; a prefix stands for a whole class. */
const FULL = ['53100'];
const NUL_IN_TEXT = ['22021'];
/** The transaction was rolled back, or had not begun: it may succeed when it is repeated. */
const REPEATABLE = [
  '08', // connection exception
  '0A000', // a prepared statement whose table was changed by a migration meanwhile
  '25006', // the server became a read-only replica
  '40001', // serialization failure
  '40P01', // deadlock
  '57P01', // shutdown by an administrator
  '57P02', // crash of another connection
];
const UNAVAILABLE = [
  ...REPEATABLE,
  '25P03', // idle-in-transaction timeout
  '28', // the password or the rights were changed
  '3D', // the database was dropped or renamed
  '53', // too many connections, out of memory
  '55P03', // lock timeout
  '57014', // statement timeout
  '57P03', // starting up or shutting down
];

/** The error that a store throws for an error of the driver. Violated constraints stay as they are. */
export function storageError(error: unknown): unknown {
  if (!isAnswer(error)) {
    const isRepeatable = isReset(error);
    return new StorageUnavailable(`PostgreSQL is not available: ${reasonOf(error)}`, { isRepeatable, cause: error });
  }
  const { code = '' } = error;
  if (isOneOf(code, FULL)) return new StorageFullError('The disk of PostgreSQL is full', { cause: error });
  if (isOneOf(code, NUL_IN_TEXT)) return new UnstorableText({ cause: error });
  if (!isOneOf(code, UNAVAILABLE)) return error;
  const isRepeatable = isOneOf(code, REPEATABLE);
  return new StorageUnavailable(`PostgreSQL is not available: ${error.message}`, { isRepeatable, cause: error });
}

/** Whether the connection must not be used again after this error. */
export function endsConnection(error: unknown): boolean {
  return !isAnswer(error) || error.severity === 'FATAL' || error.severity === 'PANIC' || error.code === '0A000';
}

/** Whether the database itself answered with this error. */
export function isAnswer(error: unknown): error is pg.DatabaseError {
  return error instanceof pg.DatabaseError;
}

/** A driver's error can be an AggregateError without a message, with an error for each address of a host. */
export function reasonOf(error: unknown): string {
  const { errors, message, code } = error as { errors?: unknown[]; message?: string; code?: string };
  if (errors?.[0] !== undefined) return reasonOf(errors[0]);
  return message || code || String(error);
}

/** An established connection ended; one that could not be made would fail in the same way again. */
function isReset(error: unknown): boolean {
  const { code } = error as { code?: string };
  return code === 'ECONNRESET' || code === 'EPIPE' || reasonOf(error).startsWith('Connection terminated unexpectedly');
}

const isOneOf = (code: string, prefixes: readonly string[]) => prefixes.some((prefix) => code.startsWith(prefix));
