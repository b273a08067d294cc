import type { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { scrubSoon } from '../../../../storage/scrub.js';
import { preparedBy } from '../../../../storage/statements.js';
import { repeatable } from '../../../../storage/sqlite.js';
import { documentFacts, type DocumentFacts } from './document-facts.js';
import type { DocumentNames } from './document-names.js';
import { GraphAway, type GraphChange, type GraphStore } from './graph-store.js';
import type { ProjectKey } from '../project-key.js';

export const PENDING_TABLES = `
  CREATE TABLE graph_pending (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id TEXT NOT NULL,
    project_id TEXT NOT NULL,
    version_seq INTEGER,
    refusals INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  CREATE INDEX graph_pending_project ON graph_pending (user_id, project_id)`;

/** A change that failed too often is set aside; `set_aside` holds the reason. */
export const SET_ASIDE = `
  ALTER TABLE graph_pending ADD COLUMN set_aside TEXT;
  CREATE INDEX graph_pending_version ON graph_pending (version_seq)`;

const RETRY_MS = 5000;
/** How often a change may fail, or end the process, before it is set aside. */
const MAX_TRIES = 5;
/** The most changes of one turn, which share their writes. */
const MAX_TOGETHER = 20;
const MAX_EXPECTED_CHARS = 8 * 1024 * 1024;

interface Pending extends ProjectKey {
  seq: number;
  /** null: the whole project is deleted. */
  versionSeq: number | null;
  /** The number of earlier tries. */
  tries: number;
}

/** A project with changes that the graph has not received. */
interface Turn extends ProjectKey {
  /** On the scale of `performance.now()`. */
  notBeforeMs: number;
  /** Callbacks that are called when the graph has received all of them. */
  readonly waiting: (() => void)[];
}

/**
 * The queue of changes for the graph, on disk and in order. A change is added in the transaction that records its
 * version, so the graph catches up after any outage and after a crash at any time. Projects take turns, with a few changes
 * each. A try is counted before it begins, and changes that were tried before are taken one by one: a change that fails, or
 * that ends the process each time, delays only its own project, and after {@link MAX_TRIES} tries it is set aside.
 */
export class GraphFeed {
  private readonly log = new Logger('Graph');
  /** Texts that will be read soon. Reading them from here saves starting a git process for each. */
  private readonly expected = new LRUCache<string, string>({
    maxSize: MAX_EXPECTED_CHARS,
    sizeCalculation: (text) => text.length + 1,
  });
  /** The turns by project, in their order. */
  private readonly turns = new Map<string, Turn>();
  private running: Promise<void> | undefined;
  private timer: NodeJS.Timeout | undefined;
  private stopped = false;
  private readonly prepared: ReturnType<typeof preparedBy>;

  constructor(
    private readonly db: DatabaseSync,
    private readonly graph: GraphStore,
    /** The text of a document in one of its commits. */
    private readonly textOf: (project: ProjectKey, commit: string, path: string) => Promise<string>,
    private readonly names: DocumentNames,
    /** The longest time that a commit waits until the graph has received it. */
    private readonly patienceMs: number,
  ) {
    this.prepared = preparedBy(db);
    const waiting = db.prepare('SELECT DISTINCT user_id, project_id FROM graph_pending WHERE set_aside IS NULL').all();
    for (const { user_id, project_id } of waiting) {
      this.turnOf({ userId: String(user_id), projectId: String(project_id) });
    }
  }

  /** Keeps the text of a commit that will be added next. */
  expect(commit: string, path: string, text: string): void {
    this.expected.set(`${commit}:${path}`, text);
  }

  /** Must be called in the transaction that adds the version. */
  add({ userId, projectId }: ProjectKey, versionSeq: number): void {
    this.prepared('INSERT INTO graph_pending (user_id, project_id, version_seq) VALUES (?, ?, ?)').run(
      userId,
      projectId,
      versionSeq,
    );
    this.turnOf({ userId, projectId });
  }

  /** Deletes the project from the graph. Its queued changes are removed. */
  addDrop({ userId, projectId }: ProjectKey): void {
    this.prepared('DELETE FROM graph_pending WHERE user_id = ? AND project_id = ?').run(userId, projectId);
    this.prepared('INSERT INTO graph_pending (user_id, project_id) VALUES (?, ?)').run(userId, projectId);
    this.turnOf({ userId, projectId });
  }

  /**
   * Sends queued changes to the graph, and waits a bounded time until it has received those of one project. If the
   * graph is unavailable, a timer tries again later.
   */
  async catchUp(project?: ProjectKey): Promise<void> {
    if (this.stopped || this.timer !== undefined) return;
    this.running ??= this.drain()
      .catch((error: unknown) => {
        this.log.error(error, 'the list of changes for the graph could not be read');
        this.retryIn(RETRY_MS);
      })
      .finally(() => (this.running = undefined));
    const turn = project && this.turns.get(nameOf(project));
    if (turn === undefined) return;
    const patience = new AbortController();
    const tooLong = sleep(this.patienceMs, undefined, { signal: patience.signal }).catch(() => undefined);
    await Promise.race([new Promise<void>((resolve) => turn.waiting.push(resolve)), this.running, tooLong]);
    patience.abort();
  }

  /** The changes that were set aside, oldest first, for an operator. */
  setAside(limit: number): { userId: string; projectId: string; path: string; tries: number; reason: string }[] {
    return this.prepared(
      `SELECT p.*, v.path FROM graph_pending p LEFT JOIN versions v ON v.seq = p.version_seq
         WHERE set_aside IS NOT NULL ORDER BY p.seq LIMIT ?`,
    )
      .all(limit)
      .map((row) => ({
        userId: String(row['user_id']),
        projectId: String(row['project_id']),
        path: String(row['path'] ?? ''),
        tries: Number(row['refusals']),
        reason: String(row['set_aside']),
      }));
  }

  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.running;
  }

  private async drain(): Promise<void> {
    for (let turn = this.nextTurn(); turn !== undefined && !this.stopped; turn = this.nextTurn()) {
      const changes = this.next(turn);
      if (changes.length === 0) this.done(turn);
      else if (!(await this.take(turn, changes))) return;
      // The embedded graph is synchronous: this yields to the event loop.
      await new Promise(setImmediate);
    }
    const laterMs = Math.min(...[...this.turns.values()].map(({ notBeforeMs }) => notBeforeMs));
    if (laterMs < Infinity) this.retryIn(Math.max(1, laterMs - performance.now()));
  }

  /** @returns false where the graph is unavailable, so that no other change is worth a try either */
  private async take(turn: Turn, changes: readonly Pending[]): Promise<boolean> {
    const [first] = changes as [Pending];
    if (first.tries >= MAX_TRIES) {
      this.putAside(first, 'the process ended each time while it was at this change');
      return true;
    }
    this.count(changes, first.tries + 1);
    try {
      await this.deliver(turn, changes);
      this.remove(changes);
    } catch (error) {
      if (error instanceof GraphAway) {
        this.count(changes, first.tries);
        this.log.warn(`${error.message}; ${this.waiting()} changes wait for it`);
        this.retryIn(RETRY_MS);
        return false;
      }
      // Which of several changes fails is unknown: each is tried alone next, at once.
      if (changes.length > 1) return true;
      if (first.tries + 1 >= MAX_TRIES) this.putAside(first, error instanceof Error ? error.message : String(error));
      else turn.notBeforeMs = performance.now() + RETRY_MS;
    }
    return true;
  }

  /** The project whose turn it is; it is moved to the end of the order. */
  private nextTurn(): Turn | undefined {
    const now = performance.now();
    for (const [name, turn] of this.turns) {
      if (turn.notBeforeMs > now) continue;
      this.turns.delete(name);
      this.turns.set(name, turn);
      return turn;
    }
    return undefined;
  }

  private turnOf(project: ProjectKey): Turn {
    const name = nameOf(project);
    const turn = this.turns.get(name) ?? { ...project, notBeforeMs: 0, waiting: [] };
    this.turns.set(name, turn);
    return turn;
  }

  private done(turn: Turn): void {
    this.turns.delete(nameOf(turn));
    for (const resolve of turn.waiting) resolve();
  }

  private async deliver({ userId, projectId }: Turn, pending: readonly Pending[]): Promise<void> {
    const project = { userId, projectId };
    const changes: GraphChange[] = [];
    for (const { versionSeq } of pending) {
      if (versionSeq === null) {
        await this.graph.drop(project);
        return scrubSoon(this.db);
      }
      const change = await this.changeOf(project, versionSeq);
      if (change !== undefined) changes.push(change);
      // A long text takes some time.
      await new Promise(setImmediate);
    }
    if (changes.length > 0) await this.graph.apply(project, changes);
  }

  private async changeOf(project: ProjectKey, versionSeq: number): Promise<GraphChange | undefined> {
    const row = this.prepared('SELECT * FROM versions WHERE seq = ?').get(versionSeq);
    if (row === undefined) return undefined;
    const [path, commit] = [String(row['path']), String(row['hash'])];
    const author = { name: String(row['author']), email: String(row['email']) };
    const isDeleted = row['deleted'] === 1;
    this.names.changed(project, path, !isDeleted);
    const read = await this.facts(project, path, commit, versionSeq, isDeleted);
    const facts = read && this.linked(project, path, read);
    return { path, facts, author, message: String(row['message']), commit };
  }

  private async facts(
    project: ProjectKey,
    path: string,
    commit: string,
    versionSeq: number,
    deleted: boolean,
  ): Promise<DocumentFacts | null | undefined> {
    const later = this.prepared(
      `SELECT 1 FROM versions v JOIN graph_pending p ON p.version_seq = v.seq
         WHERE v.user_id = ? AND v.project_id = ? AND v.path = ? AND v.seq > ? AND p.set_aside IS NULL LIMIT 1`,
    ).get(project.userId, project.projectId, path, versionSeq);
    if (later !== undefined) return undefined;
    if (deleted) return null;
    const expected = this.expected.get(`${commit}:${path}`);
    this.expected.delete(`${commit}:${path}`);
    return documentFacts(path, expected ?? (await this.textOf(project, commit, path)));
  }

  /** Replaces wiki links to existing documents by links to their paths. */
  private linked(project: ProjectKey, path: string, facts: DocumentFacts): DocumentFacts {
    const found = facts.names.map((name) => this.names.find(project, name, path));
    const links = found.filter((link) => link !== undefined && link !== path) as string[];
    return {
      ...facts,
      links: [...new Set([...facts.links, ...links])],
      names: facts.names.filter((_, i) => found[i] === undefined),
    };
  }

  private putAside({ seq, ...change }: Pending, reason: string): void {
    this.prepared('UPDATE graph_pending SET set_aside = ? WHERE seq = ?').run(reason, seq);
    this.log.error({ ...change, reason }, 'a change was set aside; the graph goes on without it');
  }

  /** Survives a kill. A power cut may undo it, which allows one more try. */
  private count(changes: readonly Pending[], tries: number): void {
    const count = this.prepared('UPDATE graph_pending SET refusals = ? WHERE seq = ?');
    repeatable(this.db, () => changes.forEach(({ seq }) => count.run(tries, seq)));
  }

  private retryIn(ms: number): void {
    if (this.stopped || this.timer !== undefined) return;
    this.timer = setTimeout(() => {
      this.timer = undefined;
      void this.catchUp();
    }, ms).unref();
  }

  /** The oldest changes that are taken together: several that were not tried yet, or one alone; none where none waits. */
  private next({ userId, projectId }: Turn): Pending[] {
    if (!this.db.isOpen) return [];
    const rows = this.prepared(
      `SELECT * FROM graph_pending WHERE user_id = ? AND project_id = ? AND set_aside IS NULL ORDER BY seq LIMIT ?`,
    ).all(userId, projectId, MAX_TOGETHER);
    const waiting = rows.map((row): Pending => {
      const versionSeq = row['version_seq'] === null ? null : Number(row['version_seq']);
      return { userId, projectId, seq: Number(row['seq']), versionSeq, tries: Number(row['refusals']) };
    });
    const alone = waiting.findIndex(({ versionSeq, tries }) => versionSeq === null || tries > 0);
    return waiting.slice(0, alone === -1 ? waiting.length : Math.max(1, alone));
  }

  private remove(changes: readonly Pending[]): void {
    const remove = this.prepared('DELETE FROM graph_pending WHERE seq = ?');
    repeatable(this.db, () => changes.forEach(({ seq }) => remove.run(seq)));
  }

  private waiting(): number {
    return Number(this.prepared('SELECT count(*) AS n FROM graph_pending WHERE set_aside IS NULL').get()?.['n']);
  }
}

const nameOf = ({ userId, projectId }: ProjectKey) => `${userId}/${projectId}`;
