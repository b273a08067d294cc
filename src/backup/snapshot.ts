import { closeSync, constants, openSync, readSync } from 'node:fs';
import { copyFile, link, mkdir, readdir, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { backup as copyDatabase, DatabaseSync } from 'node:sqlite';
import { APP_NAMES, type AppName } from '../config/config.schema.js';

const SQLITE_MAGIC = 'SQLite format 3\0';
const LOCK = 'lock.sqlite';
/** The log and the index of a database, which are part of its copy. */
const PARTS_OF_A_DATABASE = /-(wal|shm|journal)$/;
/** ChromaDB's files are filled again from the index, which holds the vectors too. A model is fetched again. */
const DERIVED = new Set(['chroma/chromadb', 'chroma/models']);

/** The entries of the processes' folders, by paths below the data folder. */
interface Layout {
  apps: AppName[];
  databases: string[];
  folders: string[];
  files: string[];
}

/**
 * Copies into `to` what all processes had stored at one moment, while they run. Read transactions pin the databases
 * to that moment, all opened within a few milliseconds, the outbox first: an entry that is delivered in between is
 * delivered again after a restore, which has no effect. Files become hard links, because a file is replaced as a
 * whole and never changed in place; they are linked before and after that moment, so that a file which the databases
 * name is never missed.
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
  // The backend comes first in APP_NAMES, and its outbox must be pinned first.
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

/** An open read transaction: the connection sees the database as it is now, whatever is written later (WAL). */
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
 * Links a git repository's branches before its objects, because git writes a commit before the branch that names it.
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

/** Replaces the target where the source is another file now; keeps it where the source is gone. */
async function linkFile(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // The folders of two processes may be on two disks.
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

/** A file that was deleted meanwhile is not part of the backup. */
function unlessMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}
