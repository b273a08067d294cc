import type { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { repeatable } from '../../../../storage/sqlite.js';
import { documentFacts, type DocumentFacts } from './document-facts.js';
import { GraphAway, type GraphStore } from './graph-store.js';
import type { ProjectKey } from '../versions/version-store.js';

export const PENDING_TABLES = `
  CREATE TABLE graph_pending (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id TEXT NOT NULL,
    project_id TEXT NOT NULL,
    version_seq INTEGER,
    refusals INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  CREATE INDEX graph_pending_project ON graph_pending (user_id, project_id)`;

const RETRY_MS = 5000;
/** How long a commit waits until the graph has seen it. */
const PATIENCE_MS = 1000;
const MAX_REFUSALS = 5;
const MAX_EXPECTED_CHARS = 8 * 1024 * 1024;

interface Pending extends ProjectKey {
  seq: number;
  /** null: the whole project goes. */
  versionSeq: number | null;
  refusals: number;
}

/**
 * What the graph has not seen yet, on disk and in order: a change is written down in the transaction that records its
 * version, so the graph catches up however long it was away and whenever the process died.
 */
export class GraphFeed {
  private readonly log = new Logger('Graph');
  /** Texts that are about to be read: taking them from here saves starting a git for each. */
  private readonly expected = new LRUCache<string, string>({
    maxSize: MAX_EXPECTED_CHARS,
    sizeCalculation: (text) => text.length + 1,
  });
  private running: Promise<void> | undefined;
  private timer: NodeJS.Timeout | undefined;
  private stopped = false;

  constructor(
    private readonly db: DatabaseSync,
    private readonly graph: GraphStore,
    /** The text of a document in one of its commits. */
    private readonly textOf: (project: ProjectKey, commit: string, path: string) => Promise<string>,
  ) {}

  /** A commit that is about to be added, with its text. */
  expect(commit: string, path: string, text: string): void {
    this.expected.set(`${commit}:${path}`, text);
  }

  /** To be called in the transaction that adds the version. */
  add({ userId, projectId }: ProjectKey, versionSeq: number): void {
    this.db
      .prepare('INSERT INTO graph_pending (user_id, project_id, version_seq) VALUES (?, ?, ?)')
      .run(userId, projectId, versionSeq);
  }

  /** The project goes from the graph, and what it had not seen of it need not come any more. */
  addDrop({ userId, projectId }: ProjectKey): void {
    this.db.prepare('DELETE FROM graph_pending WHERE user_id = ? AND project_id = ?').run(userId, projectId);
    this.db.prepare('INSERT INTO graph_pending (user_id, project_id) VALUES (?, ?)').run(userId, projectId);
  }

  /**
   * Brings the graph as far as it goes, and waits for that a moment at most; a graph that is away is tried again later by
   * itself.
   */
  async catchUp(): Promise<void> {
    if (this.stopped || this.timer !== undefined) return;
    this.running ??= this.drain()
      .catch((error: unknown) => this.log.error(error, 'the list of changes for the graph could not be read'))
      .finally(() => (this.running = undefined));
    const patience = new AbortController();
    await Promise.race([
      this.running,
      sleep(PATIENCE_MS, undefined, { signal: patience.signal }).catch(() => undefined),
    ]);
    patience.abort();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.running;
  }

  private async drain(): Promise<void> {
    for (let next = this.next(); next !== undefined && !this.stopped; next = this.next()) {
      try {
        await this.deliver(next);
        this.remove(next);
      } catch (error) {
        if (!(error instanceof GraphAway) && this.refused(next, error)) continue;
        this.log.warn(`${(error as Error).message}; ${this.waiting()} changes wait for it`);
        this.retryLater();
        return;
      }
      // The embedded graph never waits for anything: let others have their turn.
      await new Promise(setImmediate);
    }
  }

  private async deliver({ userId, projectId, versionSeq }: Pending): Promise<void> {
    const project = { userId, projectId };
    if (versionSeq === null) return this.graph.drop(project);
    const row = this.db.prepare('SELECT * FROM versions WHERE seq = ?').get(versionSeq);
    if (row === undefined) return;
    const [path, commit] = [String(row['path']), String(row['hash'])];
    const author = { name: String(row['author']), email: String(row['email']) };
    const facts = await this.facts(project, path, commit, versionSeq, row['deleted'] === 1);
    await this.graph.apply(project, { path, facts, author, message: String(row['message']), commit });
  }

  private async facts(
    project: ProjectKey,
    path: string,
    commit: string,
    versionSeq: number,
    deleted: boolean,
  ): Promise<DocumentFacts | null | undefined> {
    const later = this.db
      .prepare(
        `SELECT 1 FROM versions v JOIN graph_pending p ON p.version_seq = v.seq
         WHERE v.user_id = ? AND v.project_id = ? AND v.path = ? AND v.seq > ? LIMIT 1`,
      )
      .get(project.userId, project.projectId, path, versionSeq);
    if (later !== undefined) return undefined;
    if (deleted) return null;
    const expected = this.expected.get(`${commit}:${path}`);
    this.expected.delete(`${commit}:${path}`);
    return documentFacts(path, expected ?? (await this.textOf(project, commit, path)));
  }

  /** A change that the graph refuses again and again must not stand in the way of the others. */
  private refused(pending: Pending, error: unknown): boolean {
    if (pending.refusals + 1 < MAX_REFUSALS) {
      this.db.prepare('UPDATE graph_pending SET refusals = refusals + 1 WHERE seq = ?').run(pending.seq);
      return false;
    }
    this.log.error({ err: error, ...pending }, 'the graph refused a change and goes on without it');
    this.remove(pending);
    return true;
  }

  private retryLater(): void {
    if (this.stopped) return;
    this.timer = setTimeout(() => {
      this.timer = undefined;
      void this.catchUp();
    }, RETRY_MS).unref();
  }

  private next(): Pending | undefined {
    if (!this.db.isOpen) return undefined;
    const row = this.db.prepare('SELECT * FROM graph_pending ORDER BY seq LIMIT 1').get();
    return (
      row && {
        seq: Number(row['seq']),
        userId: String(row['user_id']),
        projectId: String(row['project_id']),
        versionSeq: row['version_seq'] === null ? null : Number(row['version_seq']),
        refusals: Number(row['refusals']),
      }
    );
  }

  private remove({ seq }: Pending): void {
    repeatable(this.db, () => this.db.prepare('DELETE FROM graph_pending WHERE seq = ?').run(seq));
  }

  private waiting(): number {
    return Number(this.db.prepare('SELECT count(*) AS n FROM graph_pending').get()?.['n']);
  }
}
