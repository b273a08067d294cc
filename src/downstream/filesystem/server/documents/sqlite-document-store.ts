import type { DatabaseSync } from 'node:sqlite';
import { ProjectInventory } from '../../../../storage/inventory.js';
import { preparedBy } from '../../../../storage/statements.js';
import { scrubSoon } from '../../../../storage/scrub.js';
import { GroupCommit } from '../../../../storage/group-commit.js';
import { transaction } from '../../../../storage/sqlite.js';
import type { Config } from '../../../../config/config.schema.js';
import type { Inventory } from '../../../../contract/inventory.contract.js';
import type { LexicalIndex, ProjectKey } from '../../../../text/lexical-index.js';
import { quotaExceeded } from '../projects/quota-exceeded.js';
import { requireThere } from '../projects/project-state.js';
import { projectState } from '../projects/sqlite-project-store.js';
import {
  DOCUMENT_COLUMNS,
  type DocumentRow,
  filesOf,
  infoOf,
  leftFiles,
  tagsOf,
  TRASH_COLUMNS,
  type TrashRow,
  UNREADABLE_COLUMNS,
  type UnreadableRow,
} from './document-row.js';
import { checkMoves } from './move-checks.js';
import {
  type Changed,
  ChangedMeanwhile,
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

export class SqliteDocumentStore extends DocumentStore {
  private readonly prepared: ReturnType<typeof preparedBy>;
  private readonly inventories: ProjectInventory;
  private readonly group: GroupCommit;

  constructor(
    private readonly db: DatabaseSync,
    private readonly index: LexicalIndex,
    private readonly quotas: Config['quotas'],
  ) {
    super();
    this.prepared = preparedBy(db);
    this.group = new GroupCommit(db);
    this.inventories = new ProjectInventory(db, 'document');
  }

  async find(key: ProjectKey, path: string): Promise<DocumentRow | undefined> {
    return this.read(key, path);
  }

  async state(key: ProjectKey, path: string): Promise<PathState> {
    return this.stateOf(key, path);
  }

  async changeAll<T>(key: ProjectKey, changes: readonly PathChange<T>[]): Promise<Changed<T>[]> {
    return this.group.run(() => changes.map((change) => this.changeOne(key, change)));
  }

  private changeOne<T>(key: ProjectKey, { path, decide }: PathChange<T>): Changed<T> {
    const state = this.stateOf(key, path);
    const { result, document, unreadable } = decide(state);
    const unneeded: (string | null)[] = [];
    if (document !== undefined) {
      this.withinQuota(key, () => {
        if (document.fromTrash !== undefined) this.takeFromTrash(key, document.fromTrash);
        this.replace('document', key, DOCUMENT_COLUMNS, document.row);
      });
      this.index.put(key, document.analysed);
      this.index.label(key, path, tagsOf(document.row));
      unneeded.push(...leftFiles(state.document, document.row), this.dropUnreadable(key, path));
    }
    if (unreadable !== undefined) {
      unneeded.push(this.dropUnreadable(key, path));
      this.withinQuota(key, () => this.replace('unreadable', key, UNREADABLE_COLUMNS, unreadable));
    }
    return { result, stored: document !== undefined || unreadable !== undefined, unneeded };
  }

  async findUnreadable(key: ProjectKey, path: string): Promise<UnreadableRow | undefined> {
    return this.readUnreadable(key, path);
  }

  private readUnreadable({ userId, projectId }: ProjectKey, path: string): UnreadableRow | undefined {
    return this.prepared(
      `SELECT ${UNREADABLE_COLUMNS.join(', ')} FROM unreadable WHERE user_id = ? AND project_id = ? AND path = ?`,
    ).get(userId, projectId, path) as UnreadableRow | undefined;
  }

  async deleteAll(key: ProjectKey, paths: readonly string[], arrivedMs: number, trashedAt?: string) {
    scrubSoon(this.db);
    return transaction(this.db, () => paths.map((path) => this.deleteOne(key, path, arrivedMs, trashedAt)));
  }

  private deleteOne(key: ProjectKey, path: string, arrivedMs: number, trashedAt?: string): Deleted {
    const { document, removedMs } = this.stateOf(key, path);
    // A later change has created the document again.
    if (document !== undefined && isLater(document.arrived_ms, arrivedMs)) return { deleted: true, files: [] };
    this.prepared('DELETE FROM document WHERE user_id = ? AND project_id = ? AND path = ?').run(
      ...[key.userId, key.projectId, path],
    );
    this.index.remove(key, path);
    const unreadable = this.dropUnreadable(key, path);
    if (document === undefined && unreadable === null) return { deleted: removedMs !== undefined, files: [] };
    this.remember(key, path, arrivedMs);
    if (document === undefined) return { deleted: true, files: [unreadable] };
    if (trashedAt === undefined) return { deleted: true, files: [...filesOf(document), unreadable] };
    this.replace('trash', key, TRASH_COLUMNS, { ...document, deleted_at: trashedAt });
    return { deleted: true, files: [unreadable] };
  }

  async setTags(key: ProjectKey, changes: readonly TagChange[]): Promise<(DocumentRow | undefined)[]> {
    return transaction(this.db, () =>
      changes.map(({ path, tags }) => {
        this.prepared('UPDATE document SET tags = ? WHERE user_id = ? AND project_id = ? AND path = ?').run(
          ...[tags, key.userId, key.projectId, path],
        );
        this.index.label(key, path, tagsOf({ tags }));
        return this.read(key, path);
      }),
    );
  }

  async trash({ userId, projectId }: ProjectKey, limit: number, offset: number) {
    const where = 'user_id = ? AND project_id = ?';
    const rows = this.prepared(
      `SELECT ${TRASH_COLUMNS.join(', ')} FROM trash WHERE ${where} ORDER BY deleted_at DESC, path, file LIMIT ? OFFSET ?`,
    ).all(userId, projectId, limit, offset);
    const counted = this.prepared(`SELECT count(*) AS total FROM trash WHERE ${where}`).get(userId, projectId);
    return { rows: rows as unknown as TrashRow[], total: Number(counted?.['total']) };
  }

  async findTrashed(key: ProjectKey, path: string, version?: string): Promise<TrashRow | undefined> {
    return this.readTrashed(key, path, version);
  }

  private readTrashed({ userId, projectId }: ProjectKey, path: string, version?: string): TrashRow | undefined {
    return this.prepared(
      `SELECT ${TRASH_COLUMNS.join(', ')} FROM trash
         WHERE user_id = ?1 AND project_id = ?2 AND path = ?3 AND (?4 IS NULL OR version = ?4)
         ORDER BY deleted_at DESC, file LIMIT 1`,
    ).get(userId, projectId, path, version ?? null) as TrashRow | undefined;
  }

  async addTrashed(key: ProjectKey, row: TrashRow): Promise<boolean> {
    return transaction(this.db, () => {
      requireThere(key.projectId, projectState(this.prepared, key));
      if (this.readTrashed(key, row.path, row.version) !== undefined) return false;
      this.withinQuota(key, () => this.replace('trash', key, TRASH_COLUMNS, row));
      return true;
    });
  }

  async removeTrashed({ userId, projectId }: ProjectKey, which: readonly TrashedWhich[]): Promise<TrashRow[]> {
    scrubSoon(this.db);
    const remove = this.prepared(
      `DELETE FROM trash WHERE user_id = ?1 AND project_id = ?2 AND (?3 IS NULL OR path = ?3)
         AND (?4 IS NULL OR version = ?4) RETURNING ${TRASH_COLUMNS.join(', ')}`,
    );
    return transaction(this.db, () =>
      which.flatMap(
        ({ path = null, version = null }) => remove.all(userId, projectId, path, version) as unknown as TrashRow[],
      ),
    );
  }

  async expireTrash(before: string): Promise<OwnedRow[]> {
    const rows = this.prepared(
      `DELETE FROM trash WHERE deleted_at < ? RETURNING user_id, project_id, ${TRASH_COLUMNS.join(', ')}`,
    ).all(before);
    if (rows.length > 0) scrubSoon(this.db);
    return rows.map(ownedRow);
  }

  /** @throws ChangedMeanwhile */
  private takeFromTrash({ userId, projectId }: ProjectKey, { path, file }: TrashRow): void {
    const { changes } = this.prepared(
      'DELETE FROM trash WHERE user_id = ? AND project_id = ? AND path = ? AND file = ?',
    ).run(userId, projectId, path, file);
    if (changes === 0) throw new ChangedMeanwhile(`${path} is not in the trash any more`);
  }

  async move(key: ProjectKey, moves: readonly Move[], isCopy: boolean): Promise<(string | null)[]> {
    if (!isCopy) scrubSoon(this.db);
    return transaction(this.db, () => {
      requireThere(key.projectId, projectState(this.prepared, key));
      const current = new Map(moves.flatMap(({ before, row }) => this.readBoth(key, before.path, row.path)));
      checkMoves(moves, current, isCopy);
      const unneeded: (string | null)[] = [];
      this.withinQuota(key, () => {
        const unreadable = isCopy ? [] : moves.map(({ before, row }) => this.leave(key, before.path, row));
        for (const { row, analysed } of moves) {
          unneeded.push(this.dropUnreadable(key, row.path));
          this.replace('document', key, DOCUMENT_COLUMNS, row);
          this.index.put(key, analysed, Date.parse(row.updated_at));
          this.index.label(key, row.path, tagsOf(row));
        }
        for (const row of unreadable) if (row !== undefined) this.replace('unreadable', key, UNREADABLE_COLUMNS, row);
      });
      return unneeded;
    });
  }

  private readBoth(key: ProjectKey, from: string, to: string): [string, DocumentRow | undefined][] {
    return [
      [from, this.read(key, from)],
      [to, this.read(key, to)],
    ];
  }

  /** Removes a document from its old path. @returns the unreadable file there, under the new path */
  private leave(key: ProjectKey, path: string, { path: to, arrived_ms }: DocumentRow): UnreadableRow | undefined {
    const values = [key.userId, key.projectId, path];
    this.prepared('DELETE FROM document WHERE user_id = ? AND project_id = ? AND path = ?').run(...values);
    this.index.remove(key, path);
    this.remember(key, path, arrived_ms);
    const unreadable = this.readUnreadable(key, path);
    if (unreadable === undefined) return undefined;
    this.dropUnreadable(key, path);
    return { ...unreadable, path: to };
  }

  /** Records a deletion. */
  private remember({ userId, projectId }: ProjectKey, path: string, arrivedMs: number): void {
    this.prepared(
      `INSERT INTO removed_document (user_id, project_id, path, arrived_ms) VALUES (?, ?, ?, ?)
         ON CONFLICT DO UPDATE SET arrived_ms = max(arrived_ms, excluded.arrived_ms)`,
    ).run(userId, projectId, path, arrivedMs);
  }

  async below({ userId, projectId }: ProjectKey, prefix: string, limit: number): Promise<DocumentRow[]> {
    return this.prepared(
      `SELECT ${DOCUMENT_COLUMNS.join(', ')} FROM document
         WHERE user_id = ? AND project_id = ? AND path >= ? AND substr(path, 1, length(?)) = ? ORDER BY path LIMIT ?`,
    ).all(userId, projectId, prefix, prefix, prefix, limit) as unknown as DocumentRow[];
  }

  async list({ userId, projectId }: ProjectKey, prefix: string, limit: number, offset: number) {
    const where = 'user_id = ? AND project_id = ? AND path >= ? AND substr(path, 1, length(?)) = ?';
    const values = [userId, projectId, prefix, prefix, prefix];
    const total = this.prepared(`SELECT COUNT(*) AS total FROM document WHERE ${where}`).get(...values);
    const documents = this.prepared(
      `SELECT path, version, title, media_type, bytes, updated_at, warnings, tags FROM document WHERE ${where}
         ORDER BY path LIMIT ? OFFSET ?`,
    ).all(...values, limit, offset);
    return { documents: (documents as unknown as DocumentRow[]).map(infoOf), total: Number(total?.['total']) };
  }

  async count({ userId, projectId }: ProjectKey): Promise<number> {
    const row = this.prepared('SELECT COUNT(*) AS total FROM document WHERE user_id = ? AND project_id = ?').get(
      userId,
      projectId,
    );
    return Number(row?.['total']);
  }

  async waitingForRecognition({ userId, projectId }: Partial<ProjectKey> = {}): Promise<OwnedRow[]> {
    const rows = this.prepared(
      `SELECT user_id, project_id, ${DOCUMENT_COLUMNS.join(', ')} FROM document
         WHERE ${WAITING} AND (?1 IS NULL OR (user_id = ?1 AND project_id = ?2))`,
    ).all(userId ?? null, projectId ?? null);
    return rows.map(ownedRow);
  }

  async inventory(after: string | undefined, limit: number): Promise<Inventory> {
    return this.inventories.page(after, limit);
  }

  async *files(): AsyncGenerator<NamedFile> {
    const rows = this.prepared(
      `SELECT user_id, project_id, file, sha256 FROM document
         UNION ALL SELECT user_id, project_id, original_file, original_sha256 FROM document WHERE original_file IS NOT NULL
         UNION ALL SELECT user_id, project_id, file, sha256 FROM unreadable
         UNION ALL SELECT user_id, project_id, file, sha256 FROM trash
         UNION ALL SELECT user_id, project_id, original_file, original_sha256 FROM trash WHERE original_file IS NOT NULL`,
    ).iterate();
    for (const { user_id, project_id, file, sha256 } of rows) {
      const key = { userId: String(user_id), projectId: String(project_id) };
      yield { key, file: String(file), sha256: String(sha256) };
    }
  }

  private read({ userId, projectId }: ProjectKey, path: string): DocumentRow | undefined {
    return this.prepared(
      `SELECT ${DOCUMENT_COLUMNS.join(', ')} FROM document WHERE user_id = ? AND project_id = ? AND path = ?`,
    ).get(userId, projectId, path) as DocumentRow | undefined;
  }

  private stateOf(key: ProjectKey, path: string): PathState {
    const removed = this.prepared(
      'SELECT arrived_ms FROM removed_document WHERE user_id = ? AND project_id = ? AND path = ?',
    ).get(key.userId, key.projectId, path);
    return {
      project: projectState(this.prepared, key),
      document: this.read(key, path),
      removedMs: removed === undefined ? undefined : Number(removed['arrived_ms']),
    };
  }

  /** A change that makes a user's store smaller is always accepted. */
  private withinQuota({ userId }: ProjectKey, store: () => void): void {
    const before = this.usage(userId);
    store();
    const after = this.usage(userId);
    for (const what of ['documents', 'bytes'] as const) {
      const most = this.quotas[what];
      if (after[what] > most && after[what] > before[what]) throw quotaExceeded(what, after[what], most);
    }
  }

  private usage(userId: string): { documents: number; bytes: number } {
    const row = this.prepared('SELECT documents, bytes FROM usage WHERE user_id = ?').get(userId);
    return { documents: Number(row?.['documents'] ?? 0), bytes: Number(row?.['bytes'] ?? 0) };
  }

  private dropUnreadable({ userId, projectId }: ProjectKey, path: string): string | null {
    const row = this.prepared(
      'DELETE FROM unreadable WHERE user_id = ? AND project_id = ? AND path = ? RETURNING file',
    ).get(userId, projectId, path);
    return row === undefined ? null : String(row['file']);
  }

  private replace<C extends string>(
    table: 'document' | 'unreadable' | 'trash',
    { userId, projectId }: ProjectKey,
    columns: readonly C[],
    row: Record<C, string | number | null>,
  ): void {
    const places = columns.map(() => '?').join(', ');
    this.prepared(
      `INSERT OR REPLACE INTO ${table} (user_id, project_id, ${columns.join(', ')}) VALUES (?, ?, ${places})`,
    ).run(userId, projectId, ...columns.map((column) => row[column]));
  }
}

function ownedRow({ user_id, project_id, ...row }: Record<string, unknown>): OwnedRow {
  return {
    key: { userId: String(user_id), projectId: String(project_id) },
    row: row as unknown as DocumentRow,
  };
}
