import type { DatabaseSync } from 'node:sqlite';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { scrubSoon } from '../storage/scrub.js';
import { transaction } from '../storage/sqlite.js';
import { preparedBy } from '../storage/statements.js';

/** The longest time for which a slice of the work blocks the event loop. */
const SLICE_MS = 20;
/** Rows that one statement deletes: a passage with its terms has a few kilobytes, which are overwritten. */
const ROWS = 50;
const RETRY_MS = 1000;
const TABLES = ['lexical_passages', 'lexical_documents'] as const;

/**
 * Deletes the rows of projects that were dropped. Nothing reads them any more, because every read begins at the row of
 * the project. Deleting them at once would block the process for seconds. What a kill interrupts goes on at the next
 * start.
 */
export class DroppedProjects {
  private isRunning = false;
  private isAsked = false;

  private readonly sql: ReturnType<typeof preparedBy>;

  constructor(private readonly db: DatabaseSync) {
    this.sql = preparedBy(db);
    this.clearSoon();
  }

  /** May be called in the transaction that drops a project. */
  clearSoon(): void {
    this.isAsked = true;
    if (!this.isRunning) setImmediate(() => void this.run());
  }

  private async run(): Promise<void> {
    if (this.isRunning) return;
    this.isRunning = true;
    try {
      while (this.isAsked && this.db.isOpen) {
        this.isAsked = false;
        for (const table of TABLES) await this.clear(table);
      }
    } catch {
      // The database is busy, or the disk is full.
      setTimeout(() => this.clearSoon(), RETRY_MS).unref();
    } finally {
      this.isRunning = false;
    }
  }

  private async clear(table: (typeof TABLES)[number]): Promise<void> {
    const next = `SELECT project FROM ${table} WHERE project > ? ORDER BY project LIMIT 1`;
    let isCleared = false;
    for (let project = 0, beganMs = performance.now(); this.db.isOpen;) {
      const row = this.sql(next).get(project);
      if (row === undefined) break;
      project = Number(row['project']);
      if (this.sql('SELECT 1 FROM lexical_projects WHERE key = ?').get(project) === undefined) {
        isCleared = true;
        while (this.db.isOpen && !this.deleteSome(table, project)) await nextTurn();
      }
      if (performance.now() - beganMs < SLICE_MS) continue;
      await nextTurn();
      beganMs = performance.now();
    }
    if (isCleared && this.db.isOpen) scrubSoon(this.db);
  }

  /** @returns whether nothing of the project is left */
  private deleteSome(table: (typeof TABLES)[number], project: number): boolean {
    const row = table === 'lexical_passages' ? 'id' : 'document';
    const some = this.sql(
      `DELETE FROM ${table} WHERE project = ?1 AND ${row} IN (SELECT ${row} FROM ${table} WHERE project = ?1 LIMIT ${ROWS})`,
    );
    return transaction(this.db, () => {
      const untilMs = performance.now() + SLICE_MS;
      let deleted = ROWS;
      while (deleted === ROWS && performance.now() < untilMs) deleted = Number(some.run(project).changes);
      return deleted < ROWS;
    });
  }
}
