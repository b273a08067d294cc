import type { Config } from '../../../../config/config.schema.js';
import type { ProjectKey } from '../../../../text/lexical-index.js';
import type { Project } from '../../filesystem.contract.js';
import type { PostgresDatabase, TextSession } from '../postgres-database.js';
import type { ProjectState } from './project-state.js';
import { type ProjectChange, ProjectStore } from './project-store.js';
import { quotaExceeded } from './quota-exceeded.js';

const COLUMNS = `project_id, name, created_at, instructions,
  (SELECT count(*) FROM document AS d WHERE d.user_id = p.user_id AND d.project_id = p.project_id) AS documents`;
const COUNT = 'SELECT count(*) AS total FROM project WHERE user_id = $1 AND NOT deleted';

export class PostgresProjectStore extends ProjectStore {
  /** @param changed is told of a change of a project's documents after its commit */
  constructor(
    private readonly database: PostgresDatabase,
    private readonly quotas: Config['quotas'],
    private readonly changed: (key: ProjectKey) => void,
  ) {
    super();
  }

  async find({ userId, projectId }: ProjectKey): Promise<Project | 'deleted' | undefined> {
    const [row] = await this.database.read<Project & { deleted: boolean }>(
      `SELECT ${COLUMNS}, deleted FROM project AS p WHERE user_id = $1 AND project_id = $2`,
      [userId, projectId],
    );
    if (row === undefined) return undefined;
    const { deleted, ...project } = row;
    return deleted ? 'deleted' : project;
  }

  async state({ userId, projectId }: ProjectKey): Promise<ProjectState> {
    const sql = 'SELECT deleted FROM project WHERE user_id = $1 AND project_id = $2';
    const [row] = await this.database.read<{ deleted: boolean }>(sql, [userId, projectId]);
    return row && (row.deleted ? 'deleted' : 'there');
  }

  add({ userId, projectId }: ProjectKey, name: string): Promise<void> {
    return this.database.transaction(async (session) => {
      await changeUsage(session, userId, { documents: 0, bytes: 0 });
      const added = await session.query(
        `INSERT INTO project (user_id, project_id, name, created_at) VALUES ($1, $2, $3, $4)
           ON CONFLICT DO NOTHING RETURNING 1`,
        [userId, projectId, name, new Date().toISOString()],
      );
      if (added.length === 0) return;
      const projects = (await session.first<{ total: number }>(COUNT, [userId]))?.total ?? 0;
      const most = this.quotas.projects;
      if (projects > most) throw quotaExceeded('projects', projects, most);
    });
  }

  async update({ userId, projectId }: ProjectKey, { name, instructions }: ProjectChange): Promise<void> {
    await this.database.write(
      `UPDATE project SET name = coalesce($3, name), instructions = coalesce($4, instructions)
         WHERE user_id = $1 AND project_id = $2 AND NOT deleted`,
      [userId, projectId, name ?? null, instructions ?? null],
    );
  }

  async list(userId: string, limit: number, offset: number): Promise<{ projects: Project[]; total: number }> {
    const [counted] = await this.database.read<{ total: number }>(COUNT, [userId]);
    const projects = await this.database.read<Project>(
      `SELECT ${COLUMNS} FROM project AS p WHERE user_id = $1 AND NOT deleted
         ORDER BY created_at DESC, project_id LIMIT $2 OFFSET $3`,
      [userId, limit, offset],
    );
    return { projects, total: counted?.total ?? 0 };
  }

  async delete(key: ProjectKey): Promise<boolean> {
    const { existed, changed } = await this.database.transaction((session) => remove(session, key));
    if (changed) this.changed(key);
    return existed;
  }
}

async function remove(session: TextSession, key: ProjectKey): Promise<{ existed: boolean; changed: boolean }> {
  const { userId, projectId } = key;
  const values = [userId, projectId];
  const locked = await session.query(
    `UPDATE project SET name = '', instructions = '', deleted = true, change = change + 1, changed_at = clock_timestamp()
       WHERE user_id = $1 AND project_id = $2 AND NOT deleted RETURNING 1`,
    values,
  );
  if (locked.length === 0) {
    const before = await session.query('SELECT 1 FROM project WHERE user_id = $1 AND project_id = $2', values);
    return { existed: before.length > 0, changed: false };
  }
  for (const table of ['document', 'unreadable', 'trash']) {
    const gone = { documents: 0, bytes: 0 };
    await deleteAll(session, table, 'user_id = $1 AND project_id = $2', values, 'stored_bytes', (documents, bytes) => {
      gone.documents -= documents;
      gone.bytes -= bytes;
    });
    await changeUsage(session, userId, gone);
  }
  await deleteAll(session, 'removed_document', 'user_id = $1 AND project_id = $2', values);
  // First the conversations: a turn that is being stored in one of them locks its row, and is seen below.
  await session.query(
    "UPDATE conversation SET title = '', deleted = true WHERE user_id = $1 AND project_id = $2",
    values,
  );
  const turns = `user_id = $1 AND (project_id = $2 OR conversation_id IN
    (SELECT conversation_id FROM conversation WHERE user_id = $1 AND project_id = $2))`;
  await deleteAll(session, 'turn', turns, values);
  return { existed: true, changed: true };
}

/** The most rows that one statement deletes, so that it stays far below the limit of its time. */
const BATCH_ROWS = 5000;

async function deleteAll(
  session: TextSession,
  table: string,
  where: string,
  values: readonly unknown[],
  column = '0',
  each: (rows: number, sum: number) => void = () => undefined,
): Promise<void> {
  for (let rows = BATCH_ROWS; rows === BATCH_ROWS;) {
    const gone = await session.first<{ rows: number; sum: number }>(
      `WITH gone AS (DELETE FROM ${table} WHERE ctid IN (SELECT ctid FROM ${table} WHERE ${where} LIMIT ${BATCH_ROWS})
         RETURNING ${column} AS value)
       SELECT count(*) AS rows, coalesce(sum(value), 0) AS sum FROM gone`,
      values,
    );
    rows = gone?.rows ?? 0;
    each(rows, gone?.sum ?? 0);
  }
}

export interface Usage {
  documents: number;
  bytes: number;
}

/** Adds to what a user has stored and returns the sums. Other changes of this user wait until the transaction ends. */
export async function changeUsage(session: TextSession, userId: string, { documents, bytes }: Usage): Promise<Usage> {
  const row = await session.first<Usage & Record<string, number>>(
    `INSERT INTO usage AS u VALUES ($1, $2, $3) ON CONFLICT (user_id) DO UPDATE
       SET documents = u.documents + excluded.documents, bytes = u.bytes + excluded.bytes RETURNING documents, bytes`,
    [userId, documents, bytes],
  );
  return { documents: Number(row?.documents), bytes: Number(row?.bytes) };
}
