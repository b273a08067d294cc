import { join } from 'node:path';
import type { Config } from '../../../config/config.schema.js';
import type { Postgres } from '../../../storage/postgres/postgres.js';
import type { GuessStore } from './guess-store.js';
import type { KeyStore } from './keys/key-store.js';
import type { InvitationStore } from './invitations/invitation-store.js';
import type { AccountStore } from './local/account-store.js';
import { PostgresAccountStore } from './postgres/postgres-account-store.js';
import { PostgresGuessStore } from './postgres/postgres-guess-store.js';
import { PostgresInvitationStore } from './postgres/postgres-invitation-store.js';
import { PostgresKeyStore } from './postgres/postgres-key-store.js';
import { PostgresRevokedTokens } from './postgres/postgres-revoked-tokens.js';
import { PostgresSeenUsers } from './postgres/postgres-seen-users.js';
import { PostgresSigningKeyStore } from './postgres/postgres-signing-key-store.js';
import type { SeenUsers } from './providers/seen-users.js';
import { SqliteAccountStore } from './sqlite/sqlite-account-store.js';
import { openAuthDatabase } from './sqlite/sqlite-database.js';
import { SqliteGuessStore } from './sqlite/sqlite-guess-store.js';
import { SqliteInvitationStore } from './sqlite/sqlite-invitation-store.js';
import { SqliteKeyStore } from './sqlite/sqlite-key-store.js';
import { SqliteRevokedTokens } from './sqlite/sqlite-revoked-tokens.js';
import { SqliteSeenUsers } from './sqlite/sqlite-seen-users.js';
import { FileSigningKeyStore } from './tokens/file-signing-key-store.js';
import type { RevokedTokens } from './tokens/revoked-tokens.js';
import type { SigningKeyStore } from './tokens/signing-key-store.js';

/** All data of the auth server. */
export interface AuthStores {
  readonly accounts: AccountStore;
  readonly keys: KeyStore;
  readonly invitations: InvitationStore;
  readonly revoked: RevokedTokens;
  readonly seenUsers: SeenUsers;
  readonly guesses: GuessStore;
  readonly signingKeys: SigningKeyStore;
  close(): void;
}

/** In the PostgreSQL database where there is one, else below the data folder. */
export function openAuthStores({ data_dir, auth }: Config, database: Postgres | null): AuthStores {
  if (database === null) return inSqlite(join(data_dir, 'auth'), auth.demo_account);
  return {
    accounts: new PostgresAccountStore(database, auth.demo_account),
    keys: new PostgresKeyStore(database),
    invitations: new PostgresInvitationStore(database),
    revoked: new PostgresRevokedTokens(database),
    seenUsers: new PostgresSeenUsers(database),
    guesses: new PostgresGuessStore(database),
    signingKeys: new PostgresSigningKeyStore(database),
    // The connections belong to the module that opened them.
    close: () => undefined,
  };
}

function inSqlite(dir: string, demo: boolean): AuthStores {
  const db = openAuthDatabase(dir);
  return {
    accounts: new SqliteAccountStore(db, demo),
    keys: new SqliteKeyStore(db),
    invitations: new SqliteInvitationStore(db),
    revoked: new SqliteRevokedTokens(db),
    seenUsers: new SqliteSeenUsers(db),
    guesses: new SqliteGuessStore(db),
    signingKeys: new FileSigningKeyStore(join(dir, 'keys')),
    close: () => db.close(),
  };
}
