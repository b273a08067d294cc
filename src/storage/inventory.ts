import type { DatabaseSync } from 'node:sqlite';
import type { Inventory } from '../contract/inventory.contract.js';
import { digestOf } from './digest.js';
import { preparedBy } from './statements.js';

/** The most documents read for one page, so that a page does not delay other requests. */
export const MAX_INVENTORY_DOCUMENTS = 20_000;

/** Lists the documents of each project as a digest, from a table with the columns `user_id`, `project_id`, `path` and `version`. */
export class ProjectInventory {
  private readonly prepared: ReturnType<typeof preparedBy>;

  constructor(
    db: DatabaseSync,
    private readonly table: string,
  ) {
    this.prepared = preparedBy(db);
  }

  page(after: string | undefined, limit: number): Inventory {
    const { table } = this;
    const projects: Inventory['projects'] = [];
    let [userId, projectId] = after === undefined ? ['', ''] : (JSON.parse(after) as [string, string]);
    for (let documents = 0; projects.length < limit && documents < MAX_INVENTORY_DOCUMENTS;) {
      const next = this.prepared(
        `SELECT user_id, project_id FROM ${table} WHERE (user_id, project_id) > (?, ?)
         ORDER BY user_id, project_id LIMIT 1`,
      ).get(userId, projectId);
      if (next === undefined) return { projects, next: null };
      [userId, projectId] = [String(next['user_id']), String(next['project_id'])];
      const rows = this.prepared(
        `SELECT path, version FROM ${table} WHERE user_id = ? AND project_id = ? ORDER BY path, version`,
      ).all(userId, projectId) as { path: string; version: string }[];
      documents += rows.length;
      projects.push({ user_id: userId, project_id: projectId, documents: rows.length, digest: digestOf(rows) });
    }
    return { projects, next: JSON.stringify([userId, projectId]) };
  }
}
