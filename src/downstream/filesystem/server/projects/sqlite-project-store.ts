import type { DatabaseSync } from 'node:sqlite';
import { preparedBy } from '../../../../storage/statements.js';
import { scrubSoon } from '../../../../storage/scrub.js';
import { transaction } from '../../../../storage/sqlite.js';
import type { Config } from '../../../../config/config.schema.js';
import type { ProjectState } from './project-state.js';
import { type ProjectChange, ProjectStore } from './project-store.js';
import { quotaExceeded } from './quota-exceeded.js';
import type { LexicalIndex, ProjectKey } from '../../../../text/lexical-index.js';
import type { Project } from '../../filesystem.contract.js';

const COLUMNS = `project_id, name, created_at, instructions,
  (SELECT COUNT(*) FROM document AS d WHERE d.user_id = p.user_id AND d.project_id = p.project_id) AS documents`;

export class SqliteProjectStore extends ProjectStore {
  private readonly prepared: ReturnType<typeof preparedBy>;

  constructor(
    private readonly db: DatabaseSync,
    private readonly index: LexicalIndex,
    private readonly quotas: Config['quotas'],
  ) {
    super();
    this.prepared = preparedBy(db);
  }

  async find(key: ProjectKey): Promise<Project | 'deleted' | undefined> {
    return this.read(key);
  }

  private read({ userId, projectId }: ProjectKey): Project | 'deleted' | undefined {
    const row = this.prepared(`SELECT ${COLUMNS}, deleted FROM project AS p WHERE user_id = ? AND project_id = ?`).get(
      userId,
      projectId,
    );
    if (row === undefined) return undefined;
    const { deleted, ...project } = row;
    return deleted === 1 ? 'deleted' : (project as unknown as Project);
  }

  async state(key: ProjectKey): Promise<ProjectState> {
    return projectState(this.prepared, key);
  }

  async add({ userId, projectId }: ProjectKey, name: string): Promise<void> {
    transaction(this.db, () => {
      const { changes } = this.prepared(
        'INSERT INTO project (user_id, project_id, name, created_at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING',
      ).run(userId, projectId, name, new Date().toISOString());
      const projects = this.count(userId);
      const most = this.quotas.projects;
      if (changes > 0 && projects > most) throw quotaExceeded('projects', projects, most);
    });
  }

  async update({ userId, projectId }: ProjectKey, { name, instructions }: ProjectChange): Promise<void> {
    this.prepared(
      `UPDATE project SET name = coalesce(?, name), instructions = coalesce(?, instructions)
         WHERE user_id = ? AND project_id = ? AND deleted = 0`,
    ).run(name ?? null, instructions ?? null, userId, projectId);
  }

  private count(userId: string): number {
    const row = this.prepared('SELECT COUNT(*) AS total FROM project WHERE user_id = ? AND deleted = 0').get(userId);
    return Number(row?.['total']);
  }

  async list(userId: string, limit: number, offset: number): Promise<{ projects: Project[]; total: number }> {
    const projects = this.prepared(
      `SELECT ${COLUMNS} FROM project AS p WHERE user_id = ? AND deleted = 0
         ORDER BY created_at DESC, project_id LIMIT ? OFFSET ?`,
    ).all(userId, limit, offset);
    return { projects: projects as unknown as Project[], total: this.count(userId) };
  }

  async delete(key: ProjectKey): Promise<boolean> {
    const { userId, projectId } = key;
    const run = (sql: string) => this.prepared(sql).run(userId, projectId);
    scrubSoon(this.db);
    return transaction(this.db, () => {
      const before = this.read(key);
      if (before === undefined || before === 'deleted') return before === 'deleted';
      run("UPDATE project SET name = '', instructions = '', deleted = 1 WHERE user_id = ? AND project_id = ?");
      run('DELETE FROM document WHERE user_id = ? AND project_id = ?');
      run('DELETE FROM removed_document WHERE user_id = ? AND project_id = ?');
      run('DELETE FROM unreadable WHERE user_id = ? AND project_id = ?');
      run('DELETE FROM trash WHERE user_id = ? AND project_id = ?');
      run(
        `DELETE FROM turn WHERE user_id = ?1 AND conversation_id IN
           (SELECT conversation_id FROM conversation WHERE user_id = ?1 AND project_id = ?2)`,
      );
      run('DELETE FROM turn WHERE user_id = ? AND project_id = ?');
      run("UPDATE conversation SET title = '', deleted = 1 WHERE user_id = ? AND project_id = ?");
      this.index.dropProject(key);
      return true;
    });
  }
}

/** For the stores that need it inside their own transactions. */
export function projectState(prepared: ReturnType<typeof preparedBy>, { userId, projectId }: ProjectKey): ProjectState {
  const row = prepared('SELECT deleted FROM project WHERE user_id = ? AND project_id = ?').get(userId, projectId);
  return row && (row['deleted'] === 1 ? 'deleted' : 'there');
}
