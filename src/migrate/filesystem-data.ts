import { existsSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import type { Config } from '../config/config.schema.js';
import { StartError } from '../config/start-error.js';
import type { PageStart } from '../contract/page.contract.js';
import type { DocumentRow } from '../downstream/filesystem/server/documents/document-row.js';
import { SqliteDocumentStore } from '../downstream/filesystem/server/documents/sqlite-document-store.js';
import {
  databaseFile,
  filesFolder,
  openFilesystemDatabase,
} from '../downstream/filesystem/server/filesystem-database.js';
import { DiskDocumentFiles, OWNER } from '../downstream/filesystem/server/files/disk-document-files.js';
import { DamagedFile, type DocumentFiles } from '../downstream/filesystem/server/files/document-files.js';
import { installationIn, openS3 } from '../downstream/filesystem/server/files/open-document-files.js';
import { idOf, sharedFolder } from '../downstream/filesystem/server/files/shared-folder.js';
import { PostgresDatabase } from '../downstream/filesystem/server/postgres-database.js';
import { transaction } from '../storage/sqlite.js';
import type { Postgres } from '../storage/postgres/postgres.js';
import { analyseDocument } from '../text/analysed-document.js';
import { LexicalIndex } from '../text/lexical-index.js';
import { copyContents } from './contents.js';
import { FILESYSTEM_TABLES } from './filesystem-tables.js';
import { copiedLine, CopyDiffers, copyToPostgres, copyToSqlite } from './copied-table.js';

type Print = (line: string) => void;

/** No folder: whether its files belong to the database is decided here. */
const NO_FILES = '/nonexistent';

/**
 * Copies what the filesystem server keeps in SQLite into PostgreSQL. The contents of the documents stay where they are,
 * unless `storage.documents_dir` names another folder, and belong to PostgreSQL then: a server on the SQLite database,
 * which stays as it is, does not start with them. Continues after an interruption.
 * @throws StartError where PostgreSQL has data of its own; CopyDiffers
 */
export async function filesystemToPostgres(config: Config, postgres: Postgres, print: Print): Promise<void> {
  const dir = join(config.data_dir, 'filesystem');
  const file = databaseFile(dir);
  if (!existsSync(file)) return print(`${file} does not exist: nothing to copy`);
  const database = new PostgresDatabase(postgres);
  const db = openFilesystemDatabase(file, NO_FILES);
  try {
    await beginCopy(database);
    await copyAll('postgres', db, postgres, print);
    for (const sql of DERIVED) await database.read(sql);
    await contentsToPostgres(config, dir, db, database, print);
  } finally {
    db.close();
  }
  await database.write('UPDATE installation SET copying = false', []);
}

/**
 * Copies what the filesystem server keeps in PostgreSQL, which stays as it is, back into SQLite, and builds the full-text
 * index there. The contents belong to SQLite then. Continues after an interruption.
 * @throws StartError where there is a SQLite database; CopyDiffers
 */
export async function filesystemToSqlite(config: Config, postgres: Postgres, print: Print): Promise<void> {
  const dir = join(config.data_dir, 'filesystem');
  const [file, draft] = [databaseFile(dir), databaseFile(join(dir, 'copying'))];
  if (existsSync(file)) throw new StartError(`${file} exists; move it away, with its files -wal and -shm`);
  const db = openFilesystemDatabase(draft, NO_FILES);
  try {
    await copyAll('sqlite', db, postgres, print);
    const contents = await contentsToSqlite(config, dir, db, new PostgresDatabase(postgres), print);
    await buildIndex(db, contents, print);
    contents.close();
  } finally {
    db.close();
  }
  renameSync(draft, file);
  rmSync(join(dir, 'copying'), { recursive: true });
}

/** Where the source was changed since an interrupted copy was begun, everything is copied once more. */
async function copyAll(to: 'postgres' | 'sqlite', db: DatabaseSync, postgres: Postgres, print: Print): Promise<void> {
  for (let isRepeated = false; ; isRepeated = true) {
    try {
      for (const table of FILESYSTEM_TABLES) {
        const copied = to === 'postgres' ? copyToPostgres(table, db, postgres) : copyToSqlite(table, postgres, db);
        print(copiedLine(`filesystem.${table.name}`, to, await copied));
      }
      return;
    } catch (error) {
      if (!(error instanceof CopyDiffers) || isRepeated) throw error;
      print('filesystem: the source was changed since the copy was begun, so everything is copied again');
      for (const { name } of FILESYSTEM_TABLES.toReversed()) {
        if (to === 'postgres') await postgres.write(`DELETE FROM ${name}`);
        else db.exec(`DELETE FROM ${name}`);
      }
    }
  }
}

/** A server does not start on a copy that is not complete. @throws StartError where there are data that were not copied */
async function beginCopy(database: PostgresDatabase): Promise<void> {
  const [state] = await database.read<{ copying: boolean; used: boolean }>(
    'SELECT copying, EXISTS (SELECT 1 FROM project) OR EXISTS (SELECT 1 FROM conversation) AS used FROM installation',
  );
  if (state?.used === true && !state.copying) {
    throw new StartError('DATABASE_URL: the schema "filesystem" has data already; drop it, or name another database');
  }
  await database.write('UPDATE installation SET copying = true', []);
}

/** Fills the columns and tables that SQLite does not have: numbers of changes, and amounts by user. */
const DERIVED = [
  `UPDATE document AS d SET change = n.change FROM (SELECT user_id, project_id, path,
     row_number() OVER (PARTITION BY user_id, project_id ORDER BY updated_at, path) AS change FROM document) AS n
   WHERE (d.user_id, d.project_id, d.path) = (n.user_id, n.project_id, n.path)`,
  `UPDATE project AS p SET changed_at = clock_timestamp(), change = coalesce((SELECT max(change) FROM document AS d
     WHERE d.user_id = p.user_id AND d.project_id = p.project_id), 0)`,
  'DELETE FROM usage',
  `INSERT INTO usage SELECT user_id, count(*), sum(stored_bytes) FROM (SELECT user_id, stored_bytes FROM document
     UNION ALL SELECT user_id, stored_bytes FROM unreadable UNION ALL SELECT user_id, stored_bytes FROM trash) AS stored GROUP BY user_id`,
];

async function contentsToPostgres(
  config: Config,
  dir: string,
  db: DatabaseSync,
  database: PostgresDatabase,
  print: Print,
): Promise<void> {
  if (config.storage.documents === 's3') {
    const contents = await openS3(dir, config, await installationOf(database));
    await contents.takeOver(installationIn(dir)).finally(() => contents.close());
    return;
  }
  const [source, target] = [filesFolder(dir), sharedFolder(dir, config)];
  await copyFolder(config, db, source, target, print);
  // A server on SQLite does not start with this folder from now on.
  if (source !== target && existsSync(source)) idOf(source);
  await database.write('UPDATE installation SET folder = $1', [idOf(target)]);
}

async function contentsToSqlite(
  config: Config,
  dir: string,
  db: DatabaseSync,
  database: PostgresDatabase,
  print: Print,
): Promise<DocumentFiles> {
  if (config.storage.documents === 's3') {
    const contents = await openS3(dir, config);
    await contents.takeOver(await installationOf(database));
    return contents;
  }
  const [source, target] = [sharedFolder(dir, config), filesFolder(dir)];
  await copyFolder(config, db, source, target, print);
  rmSync(join(target, OWNER), { force: true });
  return new DiskDocumentFiles(target);
}

async function copyFolder(
  config: Config,
  db: DatabaseSync,
  source: string,
  target: string,
  print: Print,
): Promise<void> {
  if (source === target) return;
  const documents = new SqliteDocumentStore(db, new LexicalIndex(db), config.quotas);
  await copyContents(documents, new DiskDocumentFiles(source), new DiskDocumentFiles(target), target, print);
}

async function installationOf(database: PostgresDatabase): Promise<string> {
  const [row] = await database.read<{ id: string }>('SELECT id FROM installation');
  return row?.id ?? '';
}

/**
 * Reads and analyses the text of every document that the index lacks, in the order in which they were stored: passages
 * with equal scores are found in this order.
 */
async function buildIndex(db: DatabaseSync, contents: DocumentFiles, print: Print): Promise<void> {
  const index = new LexicalIndex(db);
  const columns = 'user_id, project_id, path, file, sha256, title, media_type, pages, updated_at';
  const select = db.prepare(`SELECT ${columns} FROM document WHERE (user_id, project_id, path) = (?, ?, ?)`);
  const documents = db.prepare('SELECT user_id, project_id, path FROM document ORDER BY updated_at, path').all();
  let indexed = 0;
  for (const { user_id, project_id, path } of documents as { user_id: string; project_id: string; path: string }[]) {
    const key = { userId: user_id, projectId: project_id };
    if (index.holds(key, path)) continue;
    const row = select.get(user_id, project_id, path) as unknown as DocumentRow;
    try {
      const text = (await contents.read(key, row)).toString();
      const pages = row.pages === null ? [] : (JSON.parse(row.pages) as PageStart[]);
      const document = await analyseDocument({ path, title: row.title, text, mediaType: row.media_type, pages });
      transaction(db, () => index.put(key, document, Date.parse(row.updated_at)));
      indexed++;
    } catch (error) {
      if (!(error instanceof DamagedFile)) throw error;
      print(`${error.message}: its document will be found by no search`);
    }
  }
  print(`${indexed} documents indexed`);
}
