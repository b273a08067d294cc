import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { openDatabase } from '../../../../storage/sqlite.js';
import { INVITATION_TABLES } from './sqlite-invitation-store.js';
import { KEY_TABLES } from './sqlite-key-store.js';
import { ENDED_USER_TABLES, SEEN_USER_TABLES } from './sqlite-seen-users.js';

export const AUTH_MIGRATIONS = [
  `CREATE TABLE account (
     user_id TEXT PRIMARY KEY,
     email TEXT NOT NULL UNIQUE,
     password_hash TEXT NOT NULL,
     demo INTEGER NOT NULL,
     created_at TEXT NOT NULL
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE revocation (
     token_id TEXT PRIMARY KEY,
     expires_at INTEGER NOT NULL
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX revocation_by_expiry ON revocation (expires_at);
   CREATE TABLE guesses (
     source TEXT PRIMARY KEY,
     failures INTEGER NOT NULL,
     blocked_until INTEGER NOT NULL,
     forget_at INTEGER NOT NULL
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX guesses_by_end ON guesses (forget_at);`,
  KEY_TABLES,
  SEEN_USER_TABLES,
  ENDED_USER_TABLES,
  INVITATION_TABLES,
];

/** Opens the database below `dir`, with accounts, revoked tokens and failed guesses. */
export function openAuthDatabase(dir: string): DatabaseSync {
  return openDatabase(join(dir, 'accounts.sqlite'), AUTH_MIGRATIONS);
}
