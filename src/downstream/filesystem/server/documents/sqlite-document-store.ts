import type { DatabaseSync } from 'node:sqlite';
import { ProjectInventory } from '../../../../storage/inventory.js';
import { preparedBy } from '../../../../storage/statements.js';
import { scrubSoon } from '../../../../storage/scrub.js';
import { transaction } from '../../../../storage/sqlite.js';
import type { Config } from '../../../../config/config.schema.js';
import type { Inventory } from '../../../../contract/inventory.contract.js';
import type { LexicalIndex, ProjectKey } from '../../../../text/lexical-index.js';
import { quotaExceeded } from '../projects/quota-exceeded.js';
import { projectState } from '../projects/sqlite-project-store.js';
import {
  DOCUMENT_COLUMNS,
  type DocumentRow,
  infoOf,
  leftFiles,
  UNREADABLE_COLUMNS,
  type UnreadableRow,
} from './document-row.js';
import {
  type Changed,
  type Decision,
  DocumentStore,
  isLater,
  type NamedFile,
  type OwnedRow,
  type PathState,
  WAITING,
} from './document-store.js';

export class SqliteDocumentStore extends DocumentStore {
  private readonly prepared: ReturnType<typeof preparedBy>;
  private readonly inventories: ProjectInventory;

  constructor(
    private readonly db: DatabaseSync,
    private readonly index: LexicalIndex,
    private readonly quotas: Config['quotas'],
  ) {
    super();
    this.prepared = preparedBy(db);
    this.inventories = new ProjectInventory(db, 'document');
  }

  async find(key: ProjectKey, path: string): Promise<DocumentRow | undefined> {
    return this.read(key, path);
  }

  async state(key: ProjectKey, path: string): Promise<PathState> {
    return this.stateOf(key, path);
  }

  async change<T>(key: ProjectKey, path: string, decide: (state: PathState) => Decision<T>): Promise<Changed<T>> {
    return transaction(this.db, () => {
      const state = this.stateOf(key, path);
      const { result, document, unreadable } = decide(state);
      const unneeded: (string | null)[] = [];
      if (document !== undefined) {
        this.withinQuota(key, () => this.replace('document', key, DOCUMENT_COLUMNS, document.row));
        this.index.put(key, document.analysed);
        unneeded.push(...leftFiles(state.document, document.row), this.dropUnreadable(key, path));
      }
      if (unreadable !== undefined) {
        unneeded.push(this.dropUnreadable(key, path));
        this.withinQuota(key, () => this.replace('unreadable', key, UNREADABLE_COLUMNS, unreadable));
      }
      return { result, stored: document !== undefined || unreadable !== undefined, unneeded };
    });
  }

  async findUnreadable({ userId, projectId }: ProjectKey, path: string): Promise<UnreadableRow | undefined> {
    return this.prepared(
      `SELECT ${UNREADABLE_COLUMNS.join(', ')} FROM unreadable WHERE user_id = ? AND project_id = ? AND path = ?`,
    ).get(userId, projectId, path) as UnreadableRow | undefined;
  }

  async delete(key: ProjectKey, path: string, arrivedMs: number) {
    const values = [key.userId, key.projectId, path];
    scrubSoon(this.db);
    return transaction(this.db, () => {
      const { document, removedMs } = this.stateOf(key, path);
      // A later change has created the document again.
      if (document !== undefined && isLater(document.arrived_ms, arrivedMs)) return { deleted: true, files: [] };
      this.prepared('DELETE FROM document WHERE user_id = ? AND project_id = ? AND path = ?').run(...values);
      this.index.remove(key, path);
      const files = [document?.file ?? null, document?.original_file ?? null, this.dropUnreadable(key, path)];
      if (files.some((file) => file !== null)) {
        this.prepared(
          `INSERT INTO removed_document (user_id, project_id, path, arrived_ms) VALUES (?, ?, ?, ?)
           ON CONFLICT DO UPDATE SET arrived_ms = max(arrived_ms, excluded.arrived_ms)`,
        ).run(...values, arrivedMs);
        return { deleted: true, files };
      }
      return { deleted: removedMs !== undefined, files };
    });
  }

  async list({ userId, projectId }: ProjectKey, prefix: string, limit: number, offset: number) {
    const where = 'user_id = ? AND project_id = ? AND path >= ? AND substr(path, 1, length(?)) = ?';
    const values = [userId, projectId, prefix, prefix, prefix];
    const total = this.prepared(`SELECT COUNT(*) AS total FROM document WHERE ${where}`).get(...values);
    const documents = this.prepared(
      `SELECT path, version, title, media_type, bytes, updated_at, warnings FROM document WHERE ${where}
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
    return rows.map(({ user_id, project_id, ...row }) => ({
      key: { userId: String(user_id), projectId: String(project_id) },
      row: row as unknown as DocumentRow,
    }));
  }

  async inventory(after: string | undefined, limit: number): Promise<Inventory> {
    return this.inventories.page(after, limit);
  }

  async *files(): AsyncGenerator<NamedFile> {
    const rows = this.prepared(
      `SELECT user_id, project_id, file, sha256 FROM document
         UNION ALL SELECT user_id, project_id, original_file, original_sha256 FROM document WHERE original_file IS NOT NULL
         UNION ALL SELECT user_id, project_id, file, sha256 FROM unreadable`,
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
    table: 'document' | 'unreadable',
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
