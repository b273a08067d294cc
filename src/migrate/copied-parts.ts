import { join } from 'node:path';
import { IDEMPOTENCY_MIGRATIONS } from '../backend/edge/idempotency/sqlite-answer.store.js';
import { IMPORT_MIGRATIONS } from '../backend/imports/sqlite-import.store.js';
import type { AppName } from '../config/config.schema.js';
import { AUTH_PART } from '../downstream/auth/server/postgres/auth-part.js';
import { PostgresSigningKeyStore } from '../downstream/auth/server/postgres/postgres-signing-key-store.js';
import { AUTH_MIGRATIONS } from '../downstream/auth/server/sqlite/sqlite-database.js';
import { FileSigningKeyStore } from '../downstream/auth/server/tokens/file-signing-key-store.js';
import type { SigningKeyStore } from '../downstream/auth/server/tokens/signing-key-store.js';
import { BILLING_PART } from '../downstream/billing/server/billing-database.js';
import { LEDGER_MIGRATIONS } from '../downstream/billing/server/sqlite-ledger.js';
import { FILESYSTEM_PART } from '../downstream/filesystem/server/postgres-database.js';
import { OUTBOX_MIGRATIONS } from '../outbox/sqlite-outbox.store.js';
import { BACKEND_PART } from '../replicas/backend-database.js';
import type { Part } from '../storage/postgres/open-postgres.js';
import type { Postgres } from '../storage/postgres/postgres.js';
import type { CopiedTable, Row } from './copied-table.js';

/** A database file below the folder of its process, and its tables in the order in which they are copied. */
export interface CopiedFile {
  file: string;
  migrations: readonly string[];
  tables: readonly CopiedTable[];
}

/** The data of one process, in SQLite or in PostgreSQL. */
export interface CopiedPart {
  app: AppName;
  part: Part;
  files: readonly CopiedFile[];
  /** Copies the data that are not in `files`. @returns lines for the operator */
  further?: (to: 'postgres' | 'sqlite', db: Postgres, dir: string) => Promise<string[]>;
}

const KEY_ID = ['user_id', 'key'];

/** An entry that was held by a process that has ended. */
const recovered = (row: Row): Row =>
  row['state'] === 'held' ? { ...row, state: 'ready', recovered: true, due_ms: 0 } : row;

const OUTBOX: CopiedTable = {
  name: 'entries',
  key: ['seq'],
  columns: {
    ...({ seq: 'integer', id: 'text', topic: 'text', key: 'text', user_id: 'text', project_id: 'text' } as const),
    ...({ payload: 'text', created_at: 'text', state: 'text', due_ms: 'integer', attempts: 'integer' } as const),
    ...({ recovered: 'boolean', last_error: 'text', other_key: 'text' } as const),
  },
  canonical: recovered,
};

const ANSWERS: CopiedTable = {
  name: 'answers',
  key: KEY_ID,
  columns: {
    ...({ user_id: 'text', key: 'text', fingerprint: 'text', answer: 'text', created_ms: 'integer' } as const),
    ...({ project_id: 'text', conversation_id: 'text', message_id: 'text' } as const),
  },
};

const IMPORTS: CopiedTable = {
  name: 'imports',
  key: ['seq'],
  columns: {
    ...({ seq: 'integer', user_id: 'text', project_id: 'text', import_id: 'text', progress: 'text' } as const),
    ...({ before: 'text', ended: 'boolean', starts: 'integer' } as const),
  },
};

const ACCOUNTS: CopiedTable[] = [
  {
    name: 'account',
    key: ['user_id'],
    columns: { user_id: 'text', email: 'text', password_hash: 'text', demo: 'boolean', created_at: 'text' },
  },
  { name: 'revocation', key: ['token_id'], columns: { token_id: 'text', expires_at: 'integer' } },
  {
    name: 'guesses',
    key: ['source'],
    columns: { source: 'text', failures: 'integer', blocked_until: 'integer', forget_at: 'integer' },
  },
  {
    name: 'api_key',
    key: ['key_id'],
    columns: {
      ...({ key_id: 'text', user_id: 'text', name: 'json', digest: 'text', scopes: 'text' } as const),
      ...({ project_id: 'text', created_at: 'text', expires_at: 'text', last_used_at: 'text' } as const),
    },
  },
  {
    name: 'invitation',
    key: ['invitation_id'],
    columns: {
      ...({ invitation_id: 'text', digest: 'text', email: 'text', created_by: 'text', created_at: 'text' } as const),
      ...({ expires_at: 'text', used_at: 'text', used_by: 'text' } as const),
    },
  },
  { name: 'seen_user', key: ['user_id'], columns: { user_id: 'text', email: 'text', operator: 'boolean' } },
  { name: 'ended_user', key: ['user_id'], columns: { user_id: 'text', ended_at: 'integer' } },
];

const LEDGER: CopiedTable[] = [
  {
    name: 'account',
    key: ['user_id'],
    columns: { user_id: 'text', balance: 'integer' },
    // In SQLite the last row of each user has the balance.
    sqliteQuery: '(SELECT user_id, balance FROM ledger WHERE seq IN (SELECT max(seq) FROM ledger GROUP BY user_id))',
  },
  {
    name: 'ledger',
    key: ['seq'],
    columns: {
      ...({ seq: 'integer', id: 'text', user_id: 'text', key: 'text', kind: 'text', message_id: 'text' } as const),
      ...({ credits: 'integer', balance: 'integer', created_at: 'text', note: 'json' } as const),
    },
  },
  {
    name: 'reservation',
    key: ['user_id', 'message_id'],
    columns: { user_id: 'text', message_id: 'text', credits: 'integer', expires_at: 'integer' },
  },
  { name: 'closed_account', key: ['user_id'], columns: { user_id: 'text', closed_at: 'text' } },
];

/** The processes whose data can be moved to PostgreSQL and back. */
export const COPIED_PARTS: readonly CopiedPart[] = [
  {
    app: 'auth',
    part: AUTH_PART,
    files: [{ file: 'accounts.sqlite', migrations: AUTH_MIGRATIONS, tables: ACCOUNTS }],
    further: copySigningKeys,
  },
  {
    app: 'billing',
    part: BILLING_PART,
    files: [{ file: 'ledger.sqlite', migrations: LEDGER_MIGRATIONS, tables: LEDGER }],
  },
  {
    app: 'backend',
    part: BACKEND_PART,
    files: [
      { file: 'outbox.db', migrations: OUTBOX_MIGRATIONS, tables: [OUTBOX] },
      { file: 'idempotency.db', migrations: IDEMPOTENCY_MIGRATIONS, tables: [ANSWERS] },
      { file: 'imports.db', migrations: IMPORT_MIGRATIONS, tables: [IMPORTS] },
    ],
  },
];

/** All processes that keep data in PostgreSQL. The filesystem server's are copied with the contents of its documents. */
export const POSTGRES_PARTS: readonly Pick<CopiedPart, 'app' | 'part'>[] = [
  ...COPIED_PARTS,
  { app: 'filesystem', part: FILESYSTEM_PART },
];

/** With the same keys, the tokens of all users stay valid. */
async function copySigningKeys(to: 'postgres' | 'sqlite', db: Postgres, dir: string): Promise<string[]> {
  const stores: [SigningKeyStore, SigningKeyStore] = [
    new FileSigningKeyStore(join(dir, 'keys')),
    new PostgresSigningKeyStore(db),
  ];
  const [from, target] = to === 'postgres' ? stores : stores.toReversed();
  if (from === undefined || target === undefined) return [];
  const known = new Set((await target.load()).map(({ kid }) => kid));
  const missing = (await from.load()).filter(({ kid }) => !known.has(kid));
  for (const key of missing) await target.renew(async () => key);
  return [`signing keys: ${known.size + missing.length}, ${missing.length} of them copied now`];
}
