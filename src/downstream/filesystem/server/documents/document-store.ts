import type { DatabaseSync } from 'node:sqlite';
import { preparedBy } from '../../../../storage/statements.js';
import { scrubSoon } from '../../../../storage/scrub.js';
import { transaction } from '../../../../storage/sqlite.js';
import type { Config } from '../../../../config/config.schema.js';
import type { AnalysedDocument } from '../../../../text/analysed-document.js';
import type { LexicalIndex, ProjectKey } from '../../../../text/lexical-index.js';
import type { Warning } from '../../../../contract/warning.contract.js';
import type { DocumentInfo } from '../../filesystem.contract.js';
import { quotaExceeded } from '../projects/quota-exceeded.js';
import type { StoredFile } from '../files/document-files.js';

/** The row of a document, which refers to the files with its contents. */
export interface DocumentRow extends Omit<DocumentInfo, 'warnings'> {
  /** As JSON; null for none. */
  warnings: string | null;
  /** The starts of its pages, as JSON; null for a format without pages. */
  pages: string | null;
  /** The version with which it was created. */
  first_version: string;
  file: string;
  sha256: string;
  /** The file from which the text was extracted. */
  original_file: string | null;
  original_sha256: string | null;
  /** The media type as uploaded, with its charset. */
  original_type: string | null;
  /** When the change arrived, in ms since 1970. */
  arrived_ms: number;
  /** The sizes of the text and of the original together. */
  stored_bytes: number;
}

export function originalOf(row: DocumentRow | undefined): StoredFile | undefined {
  if (row === undefined || row.original_file === null || row.original_sha256 === null) return undefined;
  return { file: row.original_file, sha256: row.original_sha256 };
}

/** The public data of a document. */
export function infoOf(row: DocumentRow): DocumentInfo {
  const { path, version, title, media_type, bytes, updated_at, warnings } = row;
  const info = { path, version, title, media_type, bytes, updated_at };
  return warnings === null ? info : { ...info, warnings: JSON.parse(warnings) as Warning[] };
}

/** The last uploaded file for a path from which no text could be extracted. */
export interface UnreadableRow {
  path: string;
  media_type: string;
  reason: string;
  received_at: string;
  file: string;
  sha256: string;
  stored_bytes: number;
}

/** No change is in progress for longer. Where the times differ by more, a clock was set back. */
const MAX_UNDER_WAY_MS = 300_000;

function isLater(arrivedMs: number, thanMs: number): boolean {
  return arrivedMs > thanMs && arrivedMs - thanMs < MAX_UNDER_WAY_MS;
}

const COLUMNS = [
  'path',
  'version',
  'first_version',
  'title',
  'media_type',
  'bytes',
  'updated_at',
  'file',
  'sha256',
  'original_file',
  'original_sha256',
  'arrived_ms',
  'stored_bytes',
  'warnings',
  'pages',
  'original_type',
] as const;
const UNREADABLE_COLUMNS = ['path', 'media_type', 'reason', 'received_at', 'file', 'sha256', 'stored_bytes'] as const;

/**
 * Documents and their full-text index, changed together. Every result that names files names those that are no longer
 * needed.
 */
export class DocumentStore {
  private readonly prepared = preparedBy(this.db);

  constructor(
    private readonly db: DatabaseSync,
    private readonly index: LexicalIndex,
    private readonly quotas: Config['quotas'],
  ) {}

  /** Runs `work`, which must be synchronous, in a transaction. */
  atomically<T>(work: () => T): T {
    return transaction(this.db, work);
  }

  find({ userId, projectId }: ProjectKey, path: string): DocumentRow | undefined {
    return this.prepared(
      `SELECT ${COLUMNS.join(', ')} FROM document WHERE user_id = ? AND project_id = ? AND path = ?`,
    ).get(userId, projectId, path) as DocumentRow | undefined;
  }

  /** The version after a later change (null: a deletion); undefined where no change arrived after `arrivedMs`. */
  changedSince(key: ProjectKey, path: string, arrivedMs: number): { version: string | null } | undefined {
    const document = this.find(key, path);
    if (document !== undefined) return isLater(document.arrived_ms, arrivedMs) ? document : undefined;
    const removed = this.prepared(
      'SELECT arrived_ms FROM removed_document WHERE user_id = ? AND project_id = ? AND path = ?',
    ).get(key.userId, key.projectId, path);
    return removed !== undefined && isLater(Number(removed['arrived_ms']), arrivedMs) ? { version: null } : undefined;
  }

  findUnreadable({ userId, projectId }: ProjectKey, path: string): UnreadableRow | undefined {
    return this.prepared(
      `SELECT ${UNREADABLE_COLUMNS.join(', ')} FROM unreadable WHERE user_id = ? AND project_id = ? AND path = ?`,
    ).get(userId, projectId, path) as UnreadableRow | undefined;
  }

  /** Must be called inside {@link atomically}. @throws Problem 507 `quota_exceeded` */
  put(key: ProjectKey, row: DocumentRow, analysed: AnalysedDocument): (string | null)[] {
    const before = this.find(key, row.path);
    this.withinQuota(key, () => this.replace('document', key, COLUMNS, row));
    this.index.put(key, analysed);
    return [before?.file ?? null, before?.original_file ?? null, this.dropUnreadable(key, row.path)];
  }

  /** Must be called inside {@link atomically}. @throws Problem 507 `quota_exceeded` */
  putUnreadable(key: ProjectKey, row: UnreadableRow): (string | null)[] {
    const before = this.dropUnreadable(key, row.path);
    this.withinQuota(key, () => this.replace('unreadable', key, UNREADABLE_COLUMNS, row));
    return [before];
  }

  /** `deleted` is false where the document never existed. */
  delete(key: ProjectKey, path: string, arrivedMs: number): { deleted: boolean; files: (string | null)[] } {
    const values = [key.userId, key.projectId, path];
    scrubSoon(this.db);
    return this.atomically(() => {
      const document = this.find(key, path);
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
      const removed = this.prepared(
        'SELECT 1 FROM removed_document WHERE user_id = ? AND project_id = ? AND path = ?',
      ).get(...values);
      return { deleted: removed !== undefined, files };
    });
  }

  /** By path. */
  list({ userId, projectId }: ProjectKey, prefix: string, limit: number, offset: number) {
    const where = 'user_id = ? AND project_id = ? AND path >= ? AND substr(path, 1, length(?)) = ?';
    const values = [userId, projectId, prefix, prefix, prefix];
    const total = this.prepared(`SELECT COUNT(*) AS total FROM document WHERE ${where}`).get(...values);
    const documents = this.prepared(
      `SELECT path, version, title, media_type, bytes, updated_at, warnings FROM document WHERE ${where}
         ORDER BY path LIMIT ? OFFSET ?`,
    ).all(...values, limit, offset);
    return { documents: (documents as unknown as DocumentRow[]).map(infoOf), total: Number(total?.['total']) };
  }

  count({ userId, projectId }: ProjectKey): number {
    const row = this.prepared('SELECT COUNT(*) AS total FROM document WHERE user_id = ? AND project_id = ?').get(
      userId,
      projectId,
    );
    return Number(row?.['total']);
  }

  /** The documents of all users of which pictures wait for their recognition. */
  *waitingForRecognition(): Generator<{ key: ProjectKey; row: DocumentRow }> {
    const rows = this.prepared(
      `SELECT user_id, project_id, ${COLUMNS.join(', ')} FROM document WHERE warnings LIKE '%"ocr_pending"%'`,
    ).iterate();
    for (const { user_id, project_id, ...row } of rows) {
      yield { key: { userId: String(user_id), projectId: String(project_id) }, row: row as unknown as DocumentRow };
    }
  }

  /** Every file that a row names, of all users, for the cleanup at start. */
  *files(): Generator<{ key: ProjectKey; file: string; sha256: string }> {
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
