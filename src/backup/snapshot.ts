import { closeSync, constants, openSync, readSync } from 'node:fs';
import { copyFile, link, mkdir, readdir, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { backup as copyDatabase, DatabaseSync } from 'node:sqlite';
import { APP_NAMES, type AppName } from '../config/config.schema.js';

const SQLITE_MAGIC = 'SQLite format 3\0';
const LOCK = 'lock.sqlite';
/** The log and the index of a database, which are part of its copy. */
const PARTS_OF_A_DATABASE = /-(wal|shm|journal)$/;
/** The embedded ChromaDB's own files: it is filled anew from the index, which holds the vectors, too. */
const DERIVED = new Set(['chroma/chromadb', 'chroma/models']);

/** What lies directly in the folders of the processes, by paths below the data folder. */
interface Layout {
  apps: AppName[];
  databases: string[];
  folders: string[];
  files: string[];
}

/**
 * Puts into `to` what all processes had kept at one moment, while they go on. The databases are pinned to that moment by
 * open reads, all within a few milliseconds, the outbox first: what it still holds may be delivered already, and is then
 * delivered once more without effect. Files are hard links, for a file is replaced as a whole and never changed in place;
 * they are linked before and after that moment, so that neither a deletion nor an addition meanwhile loses one that the
 * databases name.
 * @returns the processes that have kept something here
 */
export async function takeSnapshot(dataDir: string, to: string): Promise<{ apps: AppName[]; takenAt: Date }> {
  const layout = await layoutOf(dataDir);
  for (const app of layout.apps) await mkdir(join(to, app), { recursive: true, mode: 0o700 });
  await linkFiles(layout, dataDir, to);
  const pinned = layout.databases.map((path) => ({ path, db: pin(join(dataDir, path)) }));
  const takenAt = new Date();
  try {
    await linkFiles(layout, dataDir, to);
    for (const { path, db } of pinned) await copyDatabase(db, join(to, path));
  } finally {
    for (const { db } of pinned) db.close();
  }
  return { apps: layout.apps, takenAt };
}

async function layoutOf(dataDir: string): Promise<Layout> {
  const layout: Layout = { apps: [], databases: [], folders: [], files: [] };
  // The backend, whose outbox comes first, is the first of the names.
  for (const app of APP_NAMES) {
    const entries = await readdir(join(dataDir, app), { withFileTypes: true }).catch(unlessMissing);
    if (entries === undefined) continue;
    layout.apps.push(app);
    for (const entry of entries) {
      const path = `${app}/${entry.name}`;
      if (entry.name === LOCK || PARTS_OF_A_DATABASE.test(entry.name) || DERIVED.has(path)) continue;
      if (entry.isDirectory()) layout.folders.push(path);
      else if (entry.isFile()) layout[isDatabase(join(dataDir, path)) ? 'databases' : 'files'].push(path);
    }
  }
  return layout;
}

function isDatabase(file: string): boolean {
  const descriptor = openSync(file, 'r');
  try {
    const start = Buffer.alloc(SQLITE_MAGIC.length);
    readSync(descriptor, start, 0, start.length, 0);
    return start.toString('latin1') === SQLITE_MAGIC;
  } finally {
    closeSync(descriptor);
  }
}

/** A read that stays open: the connection sees the database as it is now, whatever others write (WAL). */
function pin(file: string): DatabaseSync {
  const db = new DatabaseSync(file, { readOnly: true, timeout: 5000 });
  db.exec('BEGIN');
  db.prepare('SELECT count(*) FROM sqlite_schema').get();
  return db;
}

async function linkFiles({ folders, files }: Layout, dataDir: string, to: string): Promise<void> {
  for (const path of files) await linkFile(join(dataDir, path), join(to, path));
  for (const path of folders) await linkTree(join(dataDir, path), join(to, path));
}

/**
 * A git repository's branches before its objects: a commit that a branch names is there before the branch is.
 */
async function linkTree(from: string, to: string): Promise<void> {
  const entries = await readdir(from, { withFileTypes: true }).catch(unlessMissing);
  if (entries === undefined) return;
  await mkdir(to, { recursive: true, mode: 0o700 });
  const isObjects = (name: string) => Number(name === 'objects');
  for (const entry of entries.sort((a, b) => isObjects(a.name) - isObjects(b.name))) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) await linkTree(source, target);
    else if (entry.isFile() && !entry.name.endsWith('.tmp') && !entry.name.endsWith('.lock'))
      await linkFile(source, target);
  }
}

/** The target is replaced where it is another file by now, and stays where the source is gone. */
async function linkFile(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // The folders of two processes may be two disks.
    if (code === 'EXDEV') await copyFile(from, to, constants.COPYFILE_FICLONE).catch(unlessMissing);
    else if (code === 'EEXIST') await relink(from, to).catch(unlessMissing);
    else unlessMissing(error as NodeJS.ErrnoException);
  }
}

async function relink(from: string, to: string): Promise<void> {
  if ((await stat(from)).ino === (await stat(to)).ino) return;
  const fresh = `${to}.new`;
  await link(from, fresh);
  await rename(fresh, to);
}

/** What was deleted meanwhile is not part of the backup. */
function unlessMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}
