import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { StartError } from '../../../config/start-error.js';
import { openDatabase } from '../../../storage/sqlite.js';
import {
  LEXICAL_AUTHORS_MIGRATION,
  LEXICAL_LANGUAGES_MIGRATION,
  LEXICAL_MIGRATION,
  LEXICAL_PAGES_MIGRATION,
} from '../../../text/lexical-index.js';
import { OWNER } from './files/disk-document-files.js';

/** They count what is stored in a table. */
function usageTriggers(table: string): string {
  return `
  CREATE TRIGGER ${table}_stored AFTER INSERT ON ${table} BEGIN
    INSERT INTO usage VALUES (new.user_id, 1, new.stored_bytes)
      ON CONFLICT DO UPDATE SET documents = documents + 1, bytes = bytes + excluded.bytes;
  END;
  CREATE TRIGGER ${table}_removed AFTER DELETE ON ${table} BEGIN
    UPDATE usage SET documents = documents - 1, bytes = bytes - old.stored_bytes WHERE user_id = old.user_id;
  END`;
}

/**
 * The amount that each user has stored, maintained by triggers; `stored_bytes` are those of a text and of its original.
 */
const USAGE = `
  ALTER TABLE document ADD COLUMN stored_bytes INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE unreadable ADD COLUMN stored_bytes INTEGER NOT NULL DEFAULT 0;
  UPDATE document SET stored_bytes = bytes;
  CREATE TABLE usage (
    user_id TEXT PRIMARY KEY, documents INTEGER NOT NULL, bytes INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  INSERT INTO usage SELECT user_id, count(*), sum(stored_bytes) FROM document GROUP BY user_id;
  ${usageTriggers('document')};
  ${usageTriggers('unreadable')}`;

/** Deleted documents that can be restored. Their texts are not in the full-text index. */
const TRASH = `
  CREATE TABLE trash (
    user_id TEXT NOT NULL,
    project_id TEXT NOT NULL,
    path TEXT NOT NULL,
    version TEXT NOT NULL,
    first_version TEXT NOT NULL,
    title TEXT NOT NULL,
    media_type TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    updated_at TEXT NOT NULL,
    file TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    original_file TEXT,
    original_sha256 TEXT,
    arrived_ms REAL NOT NULL,
    stored_bytes INTEGER NOT NULL,
    warnings TEXT,
    pages TEXT,
    original_type TEXT,
    deleted_at TEXT NOT NULL,
    PRIMARY KEY (user_id, project_id, path, file),
    FOREIGN KEY (user_id, project_id) REFERENCES project
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX trash_by_age ON trash (deleted_at);
  ${usageTriggers('trash')}`;

export const FILESYSTEM_MIGRATIONS = [
  `CREATE TABLE project (
     user_id TEXT NOT NULL,
     project_id TEXT NOT NULL,
     name TEXT NOT NULL,
     created_at TEXT NOT NULL,
     deleted INTEGER NOT NULL DEFAULT 0,
     PRIMARY KEY (user_id, project_id)
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE document (
     user_id TEXT NOT NULL,
     project_id TEXT NOT NULL,
     path TEXT NOT NULL,
     version TEXT NOT NULL,
     first_version TEXT NOT NULL,
     title TEXT NOT NULL,
     media_type TEXT NOT NULL,
     bytes INTEGER NOT NULL,
     updated_at TEXT NOT NULL,
     file TEXT NOT NULL,
     sha256 TEXT NOT NULL,
     original_file TEXT,
     original_sha256 TEXT,
     PRIMARY KEY (user_id, project_id, path),
     FOREIGN KEY (user_id, project_id) REFERENCES project
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE unreadable (
     user_id TEXT NOT NULL,
     project_id TEXT NOT NULL,
     path TEXT NOT NULL,
     media_type TEXT NOT NULL,
     reason TEXT NOT NULL,
     received_at TEXT NOT NULL,
     file TEXT NOT NULL,
     sha256 TEXT NOT NULL,
     PRIMARY KEY (user_id, project_id, path),
     FOREIGN KEY (user_id, project_id) REFERENCES project
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE conversation (
     user_id TEXT NOT NULL,
     conversation_id TEXT NOT NULL,
     project_id TEXT,
     title TEXT NOT NULL,
     created_at TEXT NOT NULL,
     updated_at TEXT NOT NULL,
     deleted INTEGER NOT NULL DEFAULT 0,
     PRIMARY KEY (user_id, conversation_id),
     FOREIGN KEY (user_id, project_id) REFERENCES project
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX conversation_by_age ON conversation (user_id, deleted, updated_at);
   CREATE INDEX conversation_by_project ON conversation (user_id, project_id);
   CREATE TABLE turn (
     seq INTEGER PRIMARY KEY AUTOINCREMENT,
     user_id TEXT NOT NULL,
     conversation_id TEXT NOT NULL,
     message_id TEXT NOT NULL,
     created_at TEXT NOT NULL,
     asked_at INTEGER NOT NULL,
     question TEXT NOT NULL,
     answer TEXT NOT NULL,
     state TEXT NOT NULL,
     metadata TEXT NOT NULL,
     UNIQUE (user_id, conversation_id, message_id),
     FOREIGN KEY (user_id, conversation_id) REFERENCES conversation
   ) STRICT;
   CREATE INDEX turn_in_order ON turn (user_id, conversation_id, asked_at, seq)`,
  LEXICAL_MIGRATION,
  `CREATE TABLE removed_document (
     user_id TEXT NOT NULL,
     project_id TEXT NOT NULL,
     path TEXT NOT NULL,
     PRIMARY KEY (user_id, project_id, path)
   ) STRICT, WITHOUT ROWID`,
  `ALTER TABLE turn ADD COLUMN project_id TEXT;
   UPDATE turn SET project_id = (SELECT c.project_id FROM conversation AS c
     WHERE c.user_id = turn.user_id AND c.conversation_id = turn.conversation_id);
   CREATE INDEX turn_by_project ON turn (user_id, project_id)`,
  `ALTER TABLE document ADD COLUMN arrived_ms REAL NOT NULL DEFAULT 0;
   ALTER TABLE removed_document ADD COLUMN arrived_ms REAL NOT NULL DEFAULT 0`,
  USAGE,
  LEXICAL_LANGUAGES_MIGRATION,
  'ALTER TABLE document ADD COLUMN warnings TEXT',
  LEXICAL_PAGES_MIGRATION,
  `ALTER TABLE document ADD COLUMN pages TEXT;
   ALTER TABLE document ADD COLUMN original_type TEXT`,
  // `parent`: NULL where the client named none, empty for the first turn of a branch.
  `ALTER TABLE turn ADD COLUMN parent TEXT;
   ALTER TABLE turn ADD COLUMN feedback TEXT;
   ALTER TABLE turn ADD COLUMN thread TEXT;
   CREATE INDEX turn_by_thread ON turn (user_id, thread) WHERE thread IS NOT NULL;
   CREATE TABLE deleted_turn (
     user_id TEXT NOT NULL,
     conversation_id TEXT NOT NULL,
     message_id TEXT NOT NULL,
     PRIMARY KEY (user_id, conversation_id, message_id)
   ) STRICT, WITHOUT ROWID;
   ALTER TABLE project ADD COLUMN instructions TEXT NOT NULL DEFAULT ''`,
  LEXICAL_AUTHORS_MIGRATION,
  TRASH,
];

/**
 * Opens the database for the files in `files`: projects, documents, conversations and the full-text index.
 * @throws Error where there are files but no database, and where they belong to another one: they would be treated as
 * leftovers
 */
export function openFilesystemDatabase(file: string, files: string): DatabaseSync {
  if (!existsSync(file) && existsSync(files) && readdirSync(files).length > 0) {
    throw new Error(`${file} is missing, but ${files} holds documents; restore it, or move the documents away`);
  }
  if (existsSync(join(files, OWNER))) {
    throw new StartError(
      `DATABASE_URL: missing; ${files} belongs to a PostgreSQL database. Set it, or copy the data back with migrate-data`,
    );
  }
  const db = openDatabase(file, FILESYSTEM_MIGRATIONS);
  // A replaced row counts as deleted, too.
  db.exec('PRAGMA recursive_triggers = ON');
  return db;
}

export const databaseFile = (dir: string) => join(dir, 'metadata.sqlite');
export const filesFolder = (dir: string) => join(dir, 'files');
