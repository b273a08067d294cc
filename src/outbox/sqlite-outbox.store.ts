import { randomUUID } from 'node:crypto';
import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import { LRUCache } from 'lru-cache';
import { preparedBy } from '../storage/statements.js';
import { scrubSoon } from '../storage/scrub.js';
import { openDatabase } from '../storage/sqlite.js';
import { GroupCommit } from '../storage/group-commit.js';
import {
  type BatchLimits,
  type NewOutboxEntry,
  type OutboxEntry,
  OutboxFullError,
  type OutboxState,
  type OutboxStats,
  type OutboxStore,
  type PendingFilter,
  type ProjectOfEntries,
  type Selection,
} from './outbox.store.js';

export const OUTBOX_MIGRATIONS = [
  `CREATE TABLE entries (
     seq INTEGER PRIMARY KEY AUTOINCREMENT,
     id TEXT NOT NULL UNIQUE,
     topic TEXT NOT NULL,
     key TEXT NOT NULL,
     user_id TEXT NOT NULL,
     project_id TEXT,
     payload TEXT NOT NULL,
     created_at TEXT NOT NULL,
     state TEXT NOT NULL,
     due_ms INTEGER NOT NULL,
     attempts INTEGER NOT NULL DEFAULT 0,
     recovered INTEGER NOT NULL DEFAULT 0,
     last_error TEXT
   ) STRICT;
   CREATE INDEX entries_ready ON entries (state, due_ms);
   CREATE INDEX entries_order ON entries (topic, key, seq);
   CREATE INDEX entries_owner ON entries (user_id, topic)`,
  `CREATE INDEX entries_due ON entries (topic, state, seq)`,
  `DROP INDEX entries_due;
   CREATE INDEX entries_turn ON entries (topic, state, user_id, seq)`,
  `ALTER TABLE entries ADD COLUMN project TEXT GENERATED ALWAYS AS (ifnull(project_id, '')) VIRTUAL;
   DROP INDEX entries_turn;
   CREATE INDEX entries_turn ON entries (topic, state, user_id, project, seq)`,
  `ALTER TABLE entries ADD COLUMN other_key TEXT;
   CREATE INDEX entries_other ON entries (topic, other_key) WHERE other_key IS NOT NULL`,
];

/** The users with ready entries: one index step for each user, independent of the number of entries. */
const USERS = `
  WITH RECURSIVE users (user_id) AS (
    SELECT min(user_id) FROM entries WHERE topic = ?1 AND state = 'ready'
    UNION ALL
    SELECT (SELECT min(e.user_id) FROM entries e WHERE e.topic = ?1 AND e.state = 'ready' AND e.user_id > users.user_id)
    FROM users WHERE users.user_id IS NOT NULL
  )
  SELECT user_id FROM users WHERE user_id IS NOT NULL`;
/** The projects of one of them, in the same way; '' stands for none. */
const PROJECTS = `
  WITH RECURSIVE projects (project) AS (
    SELECT min(project) FROM entries WHERE topic = ?1 AND state = 'ready' AND user_id = ?2
    UNION ALL
    SELECT (SELECT min(e.project) FROM entries e
            WHERE e.topic = ?1 AND e.state = 'ready' AND e.user_id = ?2 AND e.project > projects.project)
    FROM projects WHERE projects.project IS NOT NULL
  )
  SELECT project FROM projects WHERE project IS NOT NULL`;

/** Without this hint SQLite sorts a long queue for its first few entries. */
const DUE = `
  SELECT * FROM entries e INDEXED BY entries_turn
  WHERE topic = ? AND state = 'ready' AND user_id = ? AND project = ? AND due_ms <= ? AND id NOT IN (SELECT value FROM json_each(?))
    AND NOT EXISTS (SELECT 1 FROM entries o INDEXED BY entries_order
                    WHERE o.topic = e.topic AND o.key = e.key AND o.seq < e.seq AND o.state = 'ready')
  ORDER BY seq LIMIT ?`;

/** A power cut may undo a write whose effect would then be repeated. */
const REPEATABLE = { isDurable: false };

type Row = Record<string, SQLOutputValue>;

/** The embedded outbox: SQLite in WAL mode with `synchronous = FULL`. */
export class SqliteOutboxStore implements OutboxStore {
  private readonly db: DatabaseSync;
  private readonly prepared: ReturnType<typeof preparedBy>;
  private readonly group: GroupCommit;
  private bytes: number;
  /** The number of entries of each topic: most searches ask for a topic without any. */
  private readonly counted = new Map<string, number>();
  /** By topic, the user who was served last. */
  private readonly lastTurn = new Map<string, string>();
  /** By topic and user, the project that was served last. */
  private readonly lastProject = new LRUCache<string, string>({ max: 10_000 });

  constructor(
    file: string,
    private readonly maxBytes: number,
  ) {
    this.db = openDatabase(file, OUTBOX_MIGRATIONS);
    this.prepared = preparedBy(this.db);
    this.group = new GroupCommit(this.db, () => this.mark());
    for (const { topic, n } of this.prepared('SELECT topic, count(*) AS n FROM entries GROUP BY topic').all()) {
      this.counted.set(String(topic), Number(n));
    }
    this.bytes = Number(this.prepared('SELECT coalesce(sum(octet_length(payload)), 0) AS n FROM entries').get()?.['n']);
  }

  async add(entries: readonly NewOutboxEntry[], state: 'held' | 'ready'): Promise<OutboxEntry[]> {
    return this.write(() => this.insert(entries, state));
  }

  async update(id: string, payload: unknown): Promise<void> {
    await this.write(() => this.replace(id, payload));
  }

  /**
   * Where a power cut undoes the release of entries that did not change, they are held, and the next start recovers them.
   * A later durable write keeps it.
   */
  async release(
    ids: readonly string[],
    further: readonly NewOutboxEntry[] = [],
    changed: readonly { id: string; payload: unknown }[] = [],
  ): Promise<OutboxEntry[]> {
    const isDurable = further.length > 0 || changed.length > 0;
    return this.write(
      () => {
        for (const { id, payload } of changed) this.replace(id, payload);
        const release = this.prepared(`UPDATE entries SET state = 'ready', due_ms = 0 WHERE id = ? AND state = 'held'`);
        for (const id of ids) release.run(id);
        return this.insert(further, 'ready');
      },
      { isDurable },
    );
  }

  /** A power cut may undo it: the entry is then delivered again, and the receiver ignores it. */
  async remove(ids: readonly string[]): Promise<void> {
    await this.write(() => {
      const remove = this.prepared('DELETE FROM entries WHERE id = ? RETURNING topic, octet_length(payload) AS bytes');
      for (const id of ids) {
        const removed = remove.get(id);
        if (removed === undefined) continue;
        this.bytes -= Number(removed['bytes']);
        this.count(String(removed['topic']), -1);
      }
    }, REPEATABLE);
  }

  async recoverHeld(): Promise<number> {
    return Number(
      this.prepared(`UPDATE entries SET state = 'ready', due_ms = 0, recovered = 1 WHERE state = 'held'`).run().changes,
    );
  }

  async due(topic: string, nowMs: number, { limit, busy = [], ...selection }: Selection): Promise<OutboxEntry[][]> {
    if (!this.mayHave(topic) || limit <= 0) return [];
    const users = this.inTurn(topic).filter((user) => !busy.includes(user));
    const found: OutboxEntry[][] = [];
    const each = Math.ceil(limit / Math.max(1, users.length));
    for (const user of users) {
      if (found.length >= limit) break;
      const groups = this.groupsOf(topic, user, nowMs, { ...selection, limit: Math.min(each, limit - found.length) });
      if (groups.length > 0) this.lastTurn.set(topic, user);
      found.push(...groups);
    }
    return found;
  }

  /** Groups of one user's due entries: one of each project, then a second one of each, and so on. */
  private groupsOf(
    topic: string,
    user: string,
    nowMs: number,
    { limit, batch, running = [], gathering = [] }: Selection,
  ): OutboxEntry[][] {
    const delivered = running.filter((entry) => entry.topic === topic);
    const served = new Set(
      batch && [...delivered, ...gathering].filter(({ userId }) => userId === user).map(projectOf),
    );
    const ids = JSON.stringify(running.map(({ id }) => id));
    const rounds: OutboxEntry[][][] = [];
    for (const project of this.projectsInTurn(topic, user)) {
      if (served.has(project)) continue;
      const rows = this.prepared(DUE).iterate(topic, user, project, nowMs, ids, batch?.maxEntries ?? limit);
      const groups = batch === undefined ? [...rows].map((row) => [toEntry(row)]) : [together(rows, batch)];
      groups.forEach((group, round) => group.length > 0 && (rounds[round] ??= []).push(group));
      // One group of each of these projects is enough.
      if ((rounds[0]?.length ?? 0) >= limit) break;
    }
    const groups = rounds.flat().slice(0, limit);
    const last = groups.at(-1)?.[0];
    if (last !== undefined) this.lastProject.set(`${topic}/${user}`, projectOf(last));
    return groups;
  }

  /** A user's projects with ready entries, beginning after the one that was served last. */
  private projectsInTurn(topic: string, user: string): string[] {
    const projects = this.prepared(PROJECTS)
      .all(topic, user)
      .map(({ project }) => String(project));
    return rotated(projects, this.lastProject.get(`${topic}/${user}`));
  }

  /** The users with ready entries, beginning after the one who was served last. */
  private inTurn(topic: string): string[] {
    const users = this.prepared(USERS)
      .all(topic)
      .map(({ user_id }) => String(user_id));
    return rotated(users, this.lastTurn.get(topic));
  }

  async nextDueMs(nowMs: number): Promise<number | null> {
    const sql = `SELECT min(due_ms) AS next FROM entries WHERE state = 'ready' AND due_ms > ?`;
    const next = this.prepared(sql).get(nowMs)?.['next'];
    return next === null || next === undefined ? null : Number(next);
  }

  async postpone(id: string, untilMs: number, attempts: number, error: string): Promise<void> {
    const postpone = this.prepared('UPDATE entries SET due_ms = ?, attempts = ?, last_error = ? WHERE id = ?');
    await this.write(() => void postpone.run(Math.ceil(untilMs), attempts, error, id), REPEATABLE);
  }

  async bury(id: string, error: string): Promise<void> {
    this.prepared(`UPDATE entries SET state = 'dead', last_error = ? WHERE id = ?`).run(error, id);
  }

  async wake(topics: readonly string[]): Promise<void> {
    const wake = this.prepared(`UPDATE entries SET due_ms = 0 WHERE state = 'ready' AND topic = ?`);
    await this.write(() => {
      for (const topic of topics) wake.run(topic);
    }, REPEATABLE);
  }

  async replay(id: string): Promise<boolean> {
    return (
      this.prepared(`UPDATE entries SET state = 'ready', due_ms = 0, attempts = 0 WHERE id = ? AND state = 'dead'`).run(
        id,
      ).changes === 1
    );
  }

  async pending(
    topic: string,
    userId: string,
    filter: PendingFilter & { state?: OutboxState } = {},
  ): Promise<OutboxEntry[]> {
    if (!this.mayHave(topic)) return [];
    const { sql, values } = ofUser(topic, userId, filter);
    return this.prepared(`SELECT * ${sql} ORDER BY seq`)
      .all(...values)
      .map(toEntry);
  }

  async isDelivering(topic: string, userId: string, filter: PendingFilter = {}): Promise<boolean> {
    if (!this.mayHave(topic)) return false;
    const { sql, values } = ofUser(topic, userId, { ...filter, state: 'ready' });
    return this.prepared(`SELECT 1 ${sql} AND last_error IS NULL LIMIT 1`).get(...values) !== undefined;
  }

  async counts(topics: readonly string[], userId: string, projectId: string): Promise<Map<string, number>> {
    const counts = topics
      .filter((topic) => this.mayHave(topic))
      .map((topic): [string, number] => {
        const { sql, values } = ofUser(topic, userId, { projectId });
        return [topic, Number(this.prepared(`SELECT count(*) AS n ${sql}`).get(...values)?.['n'])];
      });
    return new Map(counts.filter(([, entries]) => entries > 0));
  }

  async topics(): Promise<string[]> {
    return [...this.counted].filter(([, entries]) => entries > 0).map(([topic]) => topic);
  }

  async readdress(topic: string, to: readonly string[]): Promise<void> {
    const [first, ...others] = to;
    if (first === undefined) return;
    const columns =
      'key, other_key, user_id, project_id, payload, created_at, state, due_ms, attempts, recovered, last_error';
    await this.write(() => {
      const where = `FROM entries WHERE topic = ? AND state <> 'held' ORDER BY seq`;
      const entries = this.prepared(`SELECT id, octet_length(payload) AS bytes ${where}`).all(topic);
      for (const { id, bytes } of entries) {
        for (const other of others) {
          this.reserve(Number(bytes));
          this.prepared(
            `INSERT INTO entries (id, topic, ${columns}) SELECT ?, ?, ${columns} FROM entries WHERE id = ?`,
          ).run(...[randomUUID(), other, String(id)]);
          this.count(other, 1);
        }
        this.prepared('UPDATE entries SET topic = ? WHERE id = ?').run(first, String(id));
        this.count(topic, -1);
        this.count(first, 1);
      }
    });
  }

  async dead(limit: number): Promise<OutboxEntry[]> {
    return this.prepared(`SELECT * FROM entries WHERE state = 'dead' ORDER BY seq LIMIT ?`).all(limit).map(toEntry);
  }

  async stats(): Promise<OutboxStats[]> {
    return this.prepared(
      'SELECT topic, state, count(*) AS entries, min(created_at) AS oldest FROM entries GROUP BY topic, state',
    )
      .all()
      .map((row) => ({
        topic: String(row['topic']),
        state: String(row['state']) as OutboxState,
        entries: Number(row['entries']),
        oldest: String(row['oldest']),
      }));
  }

  scrub(): void {
    scrubSoon(this.db);
  }

  async close(): Promise<void> {
    if (!this.db.isOpen) return;
    this.group.flush();
    this.db.close();
  }

  private replace(id: string, payload: unknown): void {
    const text = JSON.stringify(payload);
    this.reserve(Buffer.byteLength(text) - this.sizeOf(id));
    this.prepared(`UPDATE entries SET payload = ? WHERE id = ? AND state = 'held'`).run(text, id);
  }

  private insert(entries: readonly NewOutboxEntry[], state: 'held' | 'ready'): OutboxEntry[] {
    const insert = this.prepared(
      `INSERT INTO entries (id, topic, key, other_key, user_id, project_id, payload, created_at, state, due_ms)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0)`,
    );
    const createdAt = new Date().toISOString();
    return entries.map(({ id = randomUUID(), topic, key, otherKey = null, userId, projectId, payload }) => {
      const text = JSON.stringify(payload);
      this.reserve(Buffer.byteLength(text));
      this.count(topic, 1);
      insert.run(id, topic, key, otherKey, userId, projectId, text, createdAt, state);
      return { id, topic, key, userId, projectId, payload, createdAt, attempts: 0, recovered: false, lastError: null };
    });
  }

  private mayHave(topic: string): boolean {
    return (this.counted.get(topic) ?? 0) > 0;
  }

  private count(topic: string, change: number): void {
    this.counted.set(topic, (this.counted.get(topic) ?? 0) + change);
  }

  private reserve(bytes: number): void {
    if (bytes > 0 && this.bytes + bytes > this.maxBytes) {
      throw new OutboxFullError(`the outbox holds ${this.bytes} of at most ${this.maxBytes} bytes`);
    }
    this.bytes += bytes;
  }

  private sizeOf(id: string): number {
    return Number(this.prepared('SELECT octet_length(payload) AS n FROM entries WHERE id = ?').get(id)?.['n'] ?? 0);
  }

  /** Other writes may share its transaction; when it fails, the counts stay as they were. */
  private async write<T>(work: () => T, options: { isDurable?: boolean } = {}): Promise<T> {
    try {
      return await this.group.run(work, options);
    } catch (error) {
      // 13: SQLITE_FULL, the disk has no room.
      if ((error as { errcode?: number }).errcode === 13) throw new OutboxFullError('the disk is full');
      throw error;
    }
  }

  private mark(): () => void {
    const { bytes } = this;
    const counts = [...this.counted];
    return () => {
      this.bytes = bytes;
      this.counted.clear();
      for (const [topic, n] of counts) this.counted.set(topic, n);
    };
  }
}

/** The entries of a topic and user. Of some keys, they are found by these, because a user may have many others. */
function ofUser(topic: string, userId: string, { keys, projectId, state }: PendingFilter & { state?: OutboxState }) {
  const conditions: [sql: string, value: string][] = [
    ['topic = ?1', topic],
    ['user_id = ?2', userId],
  ];
  if (keys !== undefined) conditions.push([ABOUT, JSON.stringify(keys)]);
  if (projectId !== undefined) conditions.push([`project_id = ?${conditions.length + 1}`, projectId]);
  if (state !== undefined) conditions.push([`state = ?${conditions.length + 1}`, state]);
  const index = keys === undefined ? 'INDEXED BY entries_owner' : '';
  const where = conditions.map(([sql]) => sql).join(' AND ');
  return { sql: `FROM entries ${index} WHERE ${where}`, values: conditions.map(([, value]) => value) };
}

/** Of the topic that is the first parameter. The hints keep SQLite from reading all entries of a user. */
const ABOUT = `seq IN (
  WITH keys (key) AS (SELECT value FROM json_each(?3))
  SELECT e.seq FROM keys CROSS JOIN entries e INDEXED BY entries_order ON e.topic = ?1 AND e.key = keys.key
  UNION ALL
  SELECT e.seq FROM keys CROSS JOIN entries e INDEXED BY entries_other ON e.topic = ?1 AND e.other_key = keys.key)`;

/** A sorted list, beginning with what comes after `last`. */
function rotated(names: readonly string[], last = ''): string[] {
  return [...names.filter((name) => name > last), ...names.filter((name) => name <= last)];
}

const projectOf = ({ projectId }: ProjectOfEntries) => projectId ?? '';

/** The first rows, as many as may go in one call; at least one. */
function together(rows: Iterable<Row>, { maxChars }: BatchLimits): OutboxEntry[] {
  const entries: OutboxEntry[] = [];
  let chars = 0;
  for (const row of rows) {
    chars += String(row['payload']).length;
    if (entries.length > 0 && chars > maxChars) break;
    entries.push(toEntry(row));
  }
  return entries;
}

function toEntry(row: Row): OutboxEntry {
  return {
    id: String(row['id']),
    topic: String(row['topic']),
    key: String(row['key']),
    userId: String(row['user_id']),
    projectId: row['project_id'] === null ? null : String(row['project_id']),
    payload: JSON.parse(String(row['payload'])) as unknown,
    createdAt: String(row['created_at']),
    attempts: Number(row['attempts']),
    recovered: row['recovered'] === 1,
    lastError: row['last_error'] === null ? null : String(row['last_error']),
  };
}
