import type { Config } from '../../../../config/config.schema.js';
import type { Inventory } from '../../../../contract/inventory.contract.js';
import { digestOf } from '../../../../storage/digest.js';
import { MAX_INVENTORY_DOCUMENTS } from '../../../../storage/inventory.js';
import type { ProjectKey } from '../../../../text/lexical-index.js';
import type { Changes } from '../full-text/changes.js';
import type { PostgresDatabase, TextSession } from '../postgres-database.js';
import { changeUsage } from '../projects/postgres-project-store.js';
import { type ProjectState, requireThere } from '../projects/project-state.js';
import { quotaExceeded } from '../projects/quota-exceeded.js';
import {
  DOCUMENT_COLUMNS,
  type DocumentRow,
  filesOf,
  infoOf,
  leftFiles,
  TRASH_COLUMNS,
  type TrashRow,
  UNREADABLE_COLUMNS,
  type UnreadableRow,
} from './document-row.js';
import { checkMoves } from './move-checks.js';
import {
  type Changed,
  ChangedMeanwhile,
  type Decision,
  type Deleted,
  DocumentStore,
  isLater,
  type Move,
  type NamedFile,
  type OwnedRow,
  type PathChange,
  type PathState,
  type TagChange,
  type TrashedWhich,
  WAITING,
} from './document-store.js';

const IN_PROJECT = 'user_id = $1 AND project_id = $2';
const AT_PATH = `${IN_PROJECT} AND path = $3`;
const FILES_PAGE = 5000;

/**
 * A change locks the row of its project, so that the changes of a project come one after another in all processes, and
 * numbers itself there.
 */
export class PostgresDocumentStore extends DocumentStore {
  constructor(
    private readonly database: PostgresDatabase,
    private readonly quotas: Config['quotas'],
    private readonly changes: Changes,
  ) {
    super();
  }

  async find({ userId, projectId }: ProjectKey, path: string): Promise<DocumentRow | undefined> {
    const sql = `SELECT ${DOCUMENT_COLUMNS.join(', ')} FROM document WHERE ${AT_PATH}`;
    return (await this.database.read<DocumentRow>(sql, [userId, projectId, path]))[0];
  }

  async findUnreadable({ userId, projectId }: ProjectKey, path: string): Promise<UnreadableRow | undefined> {
    const sql = `SELECT ${UNREADABLE_COLUMNS.join(', ')} FROM unreadable WHERE ${AT_PATH}`;
    return (await this.database.read<UnreadableRow>(sql, [userId, projectId, path]))[0];
  }

  async state(key: ProjectKey, path: string): Promise<PathState> {
    return stateOf((await this.database.read<StateRow>(STATE, [key.userId, key.projectId, path]))[0]);
  }

  async changeAll<T>(key: ProjectKey, changes: readonly PathChange<T>[]): Promise<Changed<T>[]> {
    const changed = await this.database.transaction(async (session) => {
      const last = await nextChange(session, key, changes.length);
      const made: (Changed<T> & { document: Decision<T>['document'] })[] = [];
      for (const [i, change] of changes.entries()) {
        made.push(await this.changeOne(session, key, change, Number(last) - changes.length + 1 + i));
      }
      return made;
    });
    for (const { document } of changed) {
      if (document !== undefined) this.changes.stored(key, document.row.file, document.analysed);
    }
    return changed.map(({ result, stored, unneeded }) => ({ result, stored, unneeded }));
  }

  /** @param change its number */
  private async changeOne<T>(
    session: TextSession,
    key: ProjectKey,
    { path, decide }: PathChange<T>,
    change: number,
  ): Promise<Changed<T> & { document: Decision<T>['document'] }> {
    const state = stateOf(await session.first<StateRow>(STATE, [key.userId, key.projectId, path]));
    const { result, document, unreadable } = decide(state);
    const row = document?.row ?? unreadable;
    if (row === undefined) return { result, document, stored: false, unneeded: [] };
    const gone =
      document === undefined
        ? await replace(session, 'unreadable', key, UNREADABLE_COLUMNS, row as UnreadableRow)
        : await replace(session, 'document', key, [...DOCUMENT_COLUMNS, 'change'], { ...document.row, change });
    const old = document === undefined ? undefined : state.document;
    const trashed = document?.fromTrash;
    if (trashed !== undefined) await takeFromTrash(session, key, trashed);
    const replaced = [gone, old, trashed].filter((one) => one !== undefined);
    await this.withinQuota(session, key.userId, {
      documents: 1 - replaced.length,
      bytes: replaced.reduce((bytes, { stored_bytes }) => bytes - stored_bytes, row.stored_bytes),
    });
    const left = document === undefined ? [] : leftFiles(old, document.row);
    return { result, document, stored: true, unneeded: [...left, gone?.file ?? null] };
  }

  async deleteAll(key: ProjectKey, paths: readonly string[], arrivedMs: number, trashedAt?: string) {
    const removed = await this.database.transaction(async (session) => {
      const last = (await nextChange(session, key, paths.length)) ?? 0;
      const made: Awaited<ReturnType<typeof deleteOne>>[] = [];
      for (const [i, path] of paths.entries()) {
        made.push(await deleteOne(session, key, path, { arrivedMs, trashedAt, change: last - paths.length + 1 + i }));
      }
      await changeUsage(session, key.userId, usageWithout(made.flatMap(({ gone }) => gone)));
      return made;
    });
    if (removed.some(({ wasThere }) => wasThere)) this.changes.changed(key);
    return removed.map(({ deleted, files }) => ({ deleted, files }));
  }

  async setTags(key: ProjectKey, changes: readonly TagChange[]): Promise<(DocumentRow | undefined)[]> {
    const tagged = await this.database.transaction(async (session) => {
      const last = await nextChange(session, key, changes.length);
      if (last === undefined) return changes.map(() => undefined);
      const rows: (DocumentRow | undefined)[] = [];
      for (const [i, { path, tags }] of changes.entries()) {
        const row = await session.first<DocumentRow & Record<string, unknown>>(
          `UPDATE document SET tags = $4, change = $5 WHERE ${AT_PATH} RETURNING ${DOCUMENT_COLUMNS.join(', ')}`,
          [key.userId, key.projectId, path, tags, last - changes.length + 1 + i],
        );
        rows.push(row);
      }
      return rows;
    });
    if (tagged.some((row) => row !== undefined)) this.changes.changed(key);
    return tagged;
  }

  async trash({ userId, projectId }: ProjectKey, limit: number, offset: number) {
    const values = [userId, projectId];
    const [counted] = await this.database.read<{ total: number }>(
      `SELECT count(*) AS total FROM trash WHERE ${IN_PROJECT}`,
      values,
    );
    const rows = await this.database.read<TrashRow & Record<string, unknown>>(
      `SELECT ${TRASH_COLUMNS.join(', ')} FROM trash WHERE ${IN_PROJECT}
         ORDER BY deleted_at DESC, path, file LIMIT $3 OFFSET $4`,
      [...values, limit, offset],
    );
    return { rows, total: counted?.total ?? 0 };
  }

  async findTrashed({ userId, projectId }: ProjectKey, path: string, version?: string): Promise<TrashRow | undefined> {
    const [row] = await this.database.read<TrashRow & Record<string, unknown>>(
      `SELECT ${TRASH_COLUMNS.join(', ')} FROM trash WHERE ${AT_PATH} AND ($4::text IS NULL OR version = $4)
         ORDER BY deleted_at DESC, file LIMIT 1`,
      [userId, projectId, path, version ?? null],
    );
    return row;
  }

  async addTrashed(key: ProjectKey, row: TrashRow): Promise<boolean> {
    const { path, version, stored_bytes: bytes } = row;
    return this.database.transaction(async (session) => {
      // It locks the project, so that a repetition waits for the first call.
      const change = await nextChange(session, key);
      if (change === undefined) requireThere(key.projectId, await projectState(session, key));
      const there = await session.first(`SELECT 1 AS found FROM trash WHERE ${AT_PATH} AND version = $4`, [
        ...[key.userId, key.projectId, path, version],
      ]);
      if (there !== undefined) return false;
      await insert(session, 'trash', key, TRASH_COLUMNS, row);
      await this.withinQuota(session, key.userId, { documents: 1, bytes });
      return true;
    });
  }

  async removeTrashed({ userId, projectId }: ProjectKey, which: readonly TrashedWhich[]): Promise<TrashRow[]> {
    const where = `${IN_PROJECT} AND ($3::text IS NULL OR path = $3) AND ($4::text IS NULL OR version = $4)`;
    return this.database.transaction(async (session) => {
      const rows: TrashRow[] = [];
      for (const { path = null, version = null } of which) {
        const gone = await session.query<TrashRow & Record<string, unknown>>(
          `DELETE FROM trash WHERE ${where} RETURNING ${TRASH_COLUMNS.join(', ')}`,
          [userId, projectId, path, version],
        );
        rows.push(...gone);
      }
      await changeUsage(session, userId, usageWithout(rows));
      return rows;
    });
  }

  async expireTrash(before: string): Promise<OwnedRow[]> {
    const owners = await this.database.read<{ user_id: string }>(
      'SELECT DISTINCT user_id FROM trash WHERE deleted_at < $1',
      [before],
    );
    const expired: OwnedRow[] = [];
    for (const { user_id } of owners) {
      const rows = await this.database.transaction(async (session) => {
        const gone = await session.query<TrashRow & { project_id: string }>(
          `DELETE FROM trash WHERE user_id = $1 AND deleted_at < $2 RETURNING project_id, ${TRASH_COLUMNS.join(', ')}`,
          [user_id, before],
        );
        await changeUsage(session, user_id, usageWithout(gone));
        return gone;
      });
      expired.push(...rows.map(({ project_id, ...row }) => ({ key: { userId: user_id, projectId: project_id }, row })));
    }
    return expired;
  }

  async move(key: ProjectKey, moves: readonly Move[], isCopy: boolean): Promise<(string | null)[]> {
    const unneeded = await this.database.transaction(async (session) => {
      const last = await nextChange(session, key, 2 * moves.length);
      if (last === undefined) requireThere(key.projectId, await projectState(session, key));
      checkMoves(moves, await documentsAt(session, key, moves), isCopy);
      const unreadable = isCopy ? [] : await leaveAll(session, key, moves, Number(last) - moves.length);
      const files: (string | null)[] = [];
      for (const [i, { row }] of moves.entries()) {
        const columns = [...DOCUMENT_COLUMNS, 'change'] as const;
        const gone = await replace(session, 'document', key, columns, { ...row, change: Number(last) - i });
        if (gone === undefined) continue;
        files.push(gone.file);
        await changeUsage(session, key.userId, { documents: -1, bytes: -gone.stored_bytes });
      }
      for (const row of unreadable) await replace(session, 'unreadable', key, UNREADABLE_COLUMNS, row);
      if (isCopy) {
        const bytes = moves.reduce((sum, { row }) => sum + row.stored_bytes, 0);
        await this.withinQuota(session, key.userId, { documents: moves.length, bytes });
      }
      return files;
    });
    for (const { row, analysed } of moves) this.changes.stored(key, row.file, analysed);
    return unneeded;
  }

  async below({ userId, projectId }: ProjectKey, prefix: string, limit: number): Promise<DocumentRow[]> {
    return this.database.read<DocumentRow>(
      `SELECT ${DOCUMENT_COLUMNS.join(', ')} FROM document
         WHERE ${IN_PROJECT} AND path >= $3 AND starts_with(path, $3) ORDER BY path LIMIT $4`,
      [userId, projectId, prefix, limit],
    );
  }

  async list({ userId, projectId }: ProjectKey, prefix: string, limit: number, offset: number) {
    const where = `${IN_PROJECT} AND path >= $3 AND starts_with(path, $3)`;
    const values = [userId, projectId, prefix];
    const [counted] = await this.database.read<{ total: number }>(
      `SELECT count(*) AS total FROM document WHERE ${where}`,
      values,
    );
    const rows = await this.database.read<DocumentRow>(
      `SELECT path, version, title, media_type, bytes, updated_at, warnings, tags FROM document WHERE ${where}
         ORDER BY path LIMIT $4 OFFSET $5`,
      [...values, limit, offset],
    );
    return { documents: rows.map(infoOf), total: counted?.total ?? 0 };
  }

  async count({ userId, projectId }: ProjectKey): Promise<number> {
    const sql = `SELECT count(*) AS total FROM document WHERE ${IN_PROJECT}`;
    return (await this.database.read<{ total: number }>(sql, [userId, projectId]))[0]?.total ?? 0;
  }

  async waitingForRecognition({ userId, projectId }: Partial<ProjectKey> = {}): Promise<OwnedRow[]> {
    const rows = await this.database.read<DocumentRow & { user_id: string; project_id: string }>(
      `SELECT user_id, project_id, ${DOCUMENT_COLUMNS.join(', ')} FROM document
         WHERE ${WAITING} AND ($1::text IS NULL OR (user_id = $1 AND project_id = $2))`,
      [userId ?? null, projectId ?? null],
    );
    return rows.map(({ user_id, project_id, ...row }) => ({ key: { userId: user_id, projectId: project_id }, row }));
  }

  async inventory(after: string | undefined, limit: number): Promise<Inventory> {
    const projects: Inventory['projects'] = [];
    let at = after === undefined ? ['', ''] : (JSON.parse(after) as [string, string]);
    for (let documents = 0; projects.length < limit && documents < MAX_INVENTORY_DOCUMENTS;) {
      const [next] = await this.database.read<{ user_id: string; project_id: string }>(
        `SELECT user_id, project_id FROM document WHERE (user_id, project_id) > ($1, $2)
         ORDER BY user_id, project_id LIMIT 1`,
        at,
      );
      if (next === undefined) return { projects, next: null };
      at = [next.user_id, next.project_id];
      const rows = await this.database.read<{ path: string; version: string }>(
        `SELECT path, version FROM document WHERE ${IN_PROJECT} ORDER BY path`,
        at,
      );
      documents += rows.length;
      projects.push({ ...next, documents: rows.length, digest: digestOf(rows) });
    }
    return { projects, next: JSON.stringify(at) };
  }

  async *files(): AsyncGenerator<NamedFile> {
    for (const [table, file, sha256] of [
      ['document', 'file', 'sha256'],
      ['document', 'original_file', 'original_sha256'],
      ['unreadable', 'file', 'sha256'],
      ['trash', 'file', 'sha256'],
      ['trash', 'original_file', 'original_sha256'],
    ] as const) {
      for (let at: string[] = ['', '', '', ''], full = true; full;) {
        const rows = await this.database.read<FileRow>(
          `SELECT user_id, project_id, path, ${file} AS file, ${sha256} AS sha256 FROM ${table}
             WHERE (user_id, project_id, path, ${file}) > ($1, $2, $3, $4) AND ${file} IS NOT NULL
             ORDER BY user_id, project_id, path, ${file} LIMIT ${FILES_PAGE}`,
          at,
        );
        for (const row of rows) {
          yield { key: { userId: row.user_id, projectId: row.project_id }, file: row.file, sha256: row.sha256 };
        }
        const last = rows.at(-1);
        if (last !== undefined) at = [last.user_id, last.project_id, last.path, last.file];
        full = rows.length === FILES_PAGE;
      }
    }
  }

  /** Those of these files that a row names. */
  async named(files: readonly string[]): Promise<Set<string>> {
    const rows = await this.database.read<{ file: string }>(
      `SELECT file FROM document WHERE file = ANY($1)
         UNION SELECT original_file FROM document WHERE original_file = ANY($1)
         UNION SELECT file FROM unreadable WHERE file = ANY($1)
         UNION SELECT file FROM trash WHERE file = ANY($1)
         UNION SELECT original_file FROM trash WHERE original_file = ANY($1)`,
      [files],
    );
    return new Set(rows.map(({ file }) => file));
  }

  /** A change that makes a user's store smaller is always accepted. */
  private async withinQuota(session: TextSession, userId: string, added: { documents: number; bytes: number }) {
    const after = await changeUsage(session, userId, added);
    for (const what of ['documents', 'bytes'] as const) {
      const most = this.quotas[what];
      if (after[what] > most && added[what] > 0) throw quotaExceeded(what, after[what], most);
    }
  }
}

interface FileRow {
  user_id: string;
  project_id: string;
  path: string;
  file: string;
  sha256: string;
}

interface UnreadableFile extends Record<string, unknown> {
  file: string;
  stored_bytes: number;
}

interface StateRow extends DocumentRow {
  project_deleted: boolean | null;
  removed_ms: number | null;
}

/** One row, with nulls for what there is not. */
const STATE = `
  SELECT p.deleted AS project_deleted, r.arrived_ms AS removed_ms, ${DOCUMENT_COLUMNS.map((name) => `d.${name}`).join(', ')}
    FROM (SELECT $1::text AS user_id, $2::text AS project_id, $3::text AS path) AS asked
    LEFT JOIN project AS p USING (user_id, project_id)
    LEFT JOIN document AS d USING (user_id, project_id, path)
    LEFT JOIN removed_document AS r USING (user_id, project_id, path)`;

function stateOf(row: StateRow | undefined): PathState {
  if (row === undefined) return { project: undefined, document: undefined, removedMs: undefined };
  const { project_deleted, removed_ms, ...document } = row;
  return {
    project: project_deleted === null ? undefined : project_deleted ? 'deleted' : 'there',
    document: (document.version as string | null) === null ? undefined : document,
    removedMs: removed_ms ?? undefined,
  };
}

/**
 * Locks the project until the end of the transaction, and takes numbers for changes.
 * @returns the last of the numbers; undefined where the project does not exist
 */
async function nextChange(
  session: TextSession,
  { userId, projectId }: ProjectKey,
  changes = 1,
): Promise<number | undefined> {
  const row = await session.first<{ change: number }>(
    `UPDATE project SET change = change + $3, changed_at = clock_timestamp()
       WHERE ${IN_PROJECT} AND NOT deleted RETURNING change`,
    [userId, projectId, changes],
  );
  return row?.change;
}

async function projectState(session: TextSession, { userId, projectId }: ProjectKey): Promise<ProjectState> {
  const sql = `SELECT deleted FROM project WHERE ${IN_PROJECT}`;
  const row = await session.first<{ deleted: boolean }>(sql, [userId, projectId]);
  return row && (row.deleted ? 'deleted' : 'there');
}

/** @returns the rows that are `gone`; `wasThere`: whether there was a document */
async function deleteOne(
  session: TextSession,
  key: ProjectKey,
  path: string,
  { arrivedMs, trashedAt, change }: { arrivedMs: number; trashedAt: string | undefined; change: number },
): Promise<Deleted & { gone: { stored_bytes: number }[]; wasThere: boolean }> {
  const values = [key.userId, key.projectId, path];
  const nothing = { files: [], gone: [], wasThere: false };
  const { document, removedMs } = stateOf(await session.first<StateRow>(STATE, values));
  // A later change has created the document again.
  if (document !== undefined && isLater(document.arrived_ms, arrivedMs)) return { ...nothing, deleted: true };
  await session.query(`DELETE FROM document WHERE ${AT_PATH}`, values);
  const unreadable = await session.first<UnreadableFile>(
    `DELETE FROM unreadable WHERE ${AT_PATH} RETURNING file, stored_bytes`,
    values,
  );
  if (document === undefined && unreadable === undefined) return { ...nothing, deleted: removedMs !== undefined };
  await session.query(REMEMBER, [...values, arrivedMs, change]);
  const isTrashed = trashedAt !== undefined && document !== undefined;
  if (isTrashed) await insert(session, 'trash', key, TRASH_COLUMNS, { ...document, deleted_at: trashedAt });
  const removed = isTrashed ? undefined : document;
  return {
    deleted: true,
    files: [...(removed === undefined ? [] : filesOf(removed)), unreadable?.file ?? null],
    gone: [removed, unreadable].filter((one) => one !== undefined),
    wasThere: document !== undefined,
  };
}

/** The documents under the old and the new paths. */
async function documentsAt(session: TextSession, { userId, projectId }: ProjectKey, moves: readonly Move[]) {
  const rows = await session.query<DocumentRow & Record<string, unknown>>(
    `SELECT ${DOCUMENT_COLUMNS.join(', ')} FROM document WHERE ${IN_PROJECT} AND path = ANY($3)`,
    [userId, projectId, moves.flatMap(({ before, row }) => [before.path, row.path])],
  );
  return new Map<string, DocumentRow | undefined>(rows.map((row) => [row.path, row]));
}

/**
 * Removes documents from their old paths.
 * @param last the number of the last of these changes
 * @returns the unreadable files there, under the new paths
 */
async function leaveAll(
  session: TextSession,
  { userId, projectId }: ProjectKey,
  moves: readonly Move[],
  last: number,
): Promise<UnreadableRow[]> {
  const values = [userId, projectId, moves.map(({ before }) => before.path)];
  await session.query(`DELETE FROM document WHERE ${IN_PROJECT} AND path = ANY($3)`, values);
  for (const [i, { before, row }] of moves.entries()) {
    await session.query(REMEMBER, [userId, projectId, before.path, row.arrived_ms, last - i]);
  }
  const rows = await session.query<UnreadableRow & Record<string, unknown>>(
    `DELETE FROM unreadable WHERE ${IN_PROJECT} AND path = ANY($3) RETURNING ${UNREADABLE_COLUMNS.join(', ')}`,
    values,
  );
  const targets = new Map(moves.map(({ before, row }) => [before.path, row.path]));
  return rows.map((row) => ({ ...row, path: targets.get(row.path) ?? row.path }));
}

/** Records a deletion. */
const REMEMBER = `
  INSERT INTO removed_document AS r (user_id, project_id, path, arrived_ms, change) VALUES ($1, $2, $3, $4, $5)
  ON CONFLICT (user_id, project_id, path)
    DO UPDATE SET arrived_ms = greatest(r.arrived_ms, excluded.arrived_ms), change = excluded.change`;

/** @throws ChangedMeanwhile */
async function takeFromTrash(session: TextSession, { userId, projectId }: ProjectKey, { path, file }: TrashRow) {
  const gone = await session.query(`DELETE FROM trash WHERE ${AT_PATH} AND file = $4 RETURNING 1`, [
    ...[userId, projectId, path, file],
  ]);
  if (gone.length === 0) throw new ChangedMeanwhile(`${path} is not in the trash any more`);
}

const usageWithout = (rows: readonly { stored_bytes: number }[]) => ({
  documents: -rows.length,
  bytes: rows.reduce((bytes, { stored_bytes }) => bytes - stored_bytes, 0),
});

/** Writes a row of a table in which there is no other one with its key. */
async function insert<C extends string>(
  session: TextSession,
  table: 'trash',
  { userId, projectId }: ProjectKey,
  columns: readonly C[],
  row: Record<C, string | number | null | undefined>,
): Promise<void> {
  await session.query(
    `INSERT INTO ${table} (user_id, project_id, ${columns.join(', ')})
       VALUES ($1, $2, ${columns.map((_, i) => `$${i + 3}`).join(', ')})`,
    [userId, projectId, ...columns.map((column) => row[column])],
  );
}

/** Writes a row and removes the unreadable file of its path, which is returned. */
async function replace<C extends string>(
  session: TextSession,
  table: 'document' | 'unreadable',
  { userId, projectId }: ProjectKey,
  columns: readonly C[],
  row: Record<C, string | number | null | undefined> & { path: string },
): Promise<UnreadableFile | undefined> {
  const values = columns.map((column) => row[column]);
  const sets = columns.filter((column) => column !== 'path').map((column) => `${column} = excluded.${column}`);
  const insert = `INSERT INTO ${table} (user_id, project_id, ${columns.join(', ')})
    VALUES ($1, $2, ${columns.map((_, i) => `$${i + 3}`).join(', ')})
    ON CONFLICT (user_id, project_id, path) DO UPDATE SET ${sets.join(', ')}`;
  const dropped = `unreadable WHERE user_id = $1 AND project_id = $2 AND path = $3`;
  if (table === 'document') {
    const sql = `WITH put AS (${insert}) DELETE FROM ${dropped} RETURNING file, stored_bytes`;
    return session.first<UnreadableFile>(sql, [userId, projectId, ...values]);
  }
  const before = await session.first<UnreadableFile>(`SELECT file, stored_bytes FROM ${dropped}`, [
    ...[userId, projectId, row.path],
  ]);
  await session.query(insert, [userId, projectId, ...values]);
  return before;
}
