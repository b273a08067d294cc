import type { PageStart } from '../../../../contract/page.contract.js';
import type { ProjectKey } from '../../../../text/lexical-index.js';
import type { PostgresDatabase } from '../postgres-database.js';
import type { Position } from './local-index.js';

/** The state of a path that changed: a document, or none where it was removed. */
export interface FeedRow {
  path: string;
  change: number;
  document?: {
    file: string;
    sha256: string;
    title: string;
    media_type: string;
    pages: PageStart[];
    /** Those that a person has set. */
    tags: string[];
    storedMs: number;
  };
}

interface DatabaseRow extends Record<string, unknown> {
  path: string;
  change: number;
  file: string | null;
  sha256: string;
  title: string;
  media_type: string;
  pages: string | null;
  tags: string | null;
  updated_at: string;
}

export interface ChangedProject {
  key: ProjectKey;
  /** The number of its newest change; undefined where it was deleted. */
  change: number | undefined;
}

const IN_PROJECT = 'user_id = $1 AND project_id = $2';
const DOCUMENT = 'path, change, file, sha256, title, media_type, pages, updated_at, tags';
/** In the schema of this connection. */
const INCARNATION = `(SELECT id FROM installation) || ' ' || 'project'::regclass::oid || ' ' ||
  extract(epoch FROM pg_postmaster_start_time())`;
/** No transaction takes longer: a change is seen with a number that was assigned at most this long ago. */
const MAX_TRANSACTION_S = 120;

/** The changes of the documents in the database, for the indexes that follow them. */
export class DocumentFeed {
  /** The incarnation of the database as it was last read. */
  incarnation = '';

  constructor(private readonly database: PostgresDatabase) {}

  /** Undefined where the project does not exist or was deleted. */
  async position({ userId, projectId }: ProjectKey): Promise<Position | undefined> {
    const [row] = await this.database.read<Position & Record<string, unknown>>(
      `SELECT change, ${INCARNATION} AS incarnation FROM project WHERE ${IN_PROJECT} AND NOT deleted`,
      [userId, projectId],
    );
    this.incarnation = row?.incarnation ?? this.incarnation;
    return row;
  }

  /**
   * The newest states of the paths that changed after a change, in the order of the changes: no two of a project have one
   * number.
   */
  async since({ userId, projectId }: ProjectKey, change: number, limit: number): Promise<FeedRow[]> {
    const rows = await this.database.read<DatabaseRow>(
      `SELECT ${DOCUMENT} FROM document WHERE ${IN_PROJECT} AND change > $3
         UNION ALL SELECT path, change, NULL, '', '', '', NULL, '', NULL FROM removed_document AS r
           WHERE ${IN_PROJECT} AND change > $3 AND NOT EXISTS (SELECT 1 FROM document AS d
             WHERE d.user_id = r.user_id AND d.project_id = r.project_id AND d.path = r.path)
         ORDER BY change LIMIT $4`,
      [userId, projectId, change, limit],
    );
    return rows.map(feedRow);
  }

  /** The paths of the documents after `after`, in the order of their bytes. */
  async paths({ userId, projectId }: ProjectKey, after: string, limit: number): Promise<string[]> {
    const rows = await this.database.read<{ path: string }>(
      `SELECT path FROM document WHERE ${IN_PROJECT} AND path > $3 ORDER BY path LIMIT $4`,
      [userId, projectId, after, limit],
    );
    return rows.map(({ path }) => path);
  }

  async isCurrent({ userId, projectId }: ProjectKey, path: string, file: string): Promise<boolean> {
    const sql = `SELECT 1 FROM document WHERE ${IN_PROJECT} AND path = $3 AND file = $4`;
    return (await this.database.read(sql, [userId, projectId, path, file])).length > 0;
  }

  /** Those of these paths that have a document. */
  async existing({ userId, projectId }: ProjectKey, paths: readonly string[]): Promise<Set<string>> {
    const sql = `SELECT path FROM document WHERE ${IN_PROJECT} AND path = ANY($3)`;
    const rows = await this.database.read<{ path: string }>(sql, [userId, projectId, paths]);
    return new Set(rows.map(({ path }) => path));
  }

  /** How many documents a project has, and how many of them changed after a change. */
  async counts({ userId, projectId }: ProjectKey, change: number): Promise<{ documents: number; changed: number }> {
    const [row] = await this.database.read<{ documents: number; changed: number }>(
      `SELECT count(*) AS documents, count(*) FILTER (WHERE change > $3) AS changed FROM document WHERE ${IN_PROJECT}`,
      [userId, projectId, change],
    );
    return row ?? { documents: 0, changed: 0 };
  }

  /** The projects with a change since a time of the database's clock; null: all. */
  async changedProjects(since: string | null): Promise<ChangedProject[]> {
    const rows = await this.database.read<{ user_id: string; project_id: string; deleted: boolean; change: number }>(
      `SELECT user_id, project_id, deleted, change FROM project
         WHERE $1::text IS NULL OR changed_at > $1::timestamptz`,
      [since],
    );
    return rows.map(({ user_id, project_id, deleted, change }) => ({
      key: { userId: user_id, projectId: project_id },
      change: deleted ? undefined : change,
    }));
  }

  /** The incarnation of the database, and a time before any change that is not visible yet. */
  async clock(): Promise<{ incarnation: string; settled: string }> {
    const [row] = await this.database.read<{ incarnation: string; settled: string }>(
      `SELECT ${INCARNATION} AS incarnation,
         (clock_timestamp() - interval '${MAX_TRANSACTION_S} s')::text AS settled`,
    );
    this.incarnation = row?.incarnation ?? this.incarnation;
    return { incarnation: this.incarnation, settled: row?.settled ?? '' };
  }
}

function feedRow({ path, change, file, pages, tags, updated_at, ...document }: DatabaseRow): FeedRow {
  if (file === null) return { path, change };
  const { sha256, title, media_type } = document;
  const starts = pages === null ? [] : (JSON.parse(pages) as PageStart[]);
  return {
    path,
    change,
    document: {
      ...{ file, sha256, title, media_type, pages: starts, tags: tags === null ? [] : (JSON.parse(tags) as string[]) },
      storedMs: Date.parse(updated_at),
    },
  };
}
