import { LRUCache } from 'lru-cache';
import type { Replicas } from '../replicas/replicas.js';
import type { Postgres } from '../storage/postgres/postgres.js';
import {
  newEntry,
  type NewOutboxEntry,
  type OutboxEntry,
  OutboxFullError,
  type OutboxState,
  type OutboxStats,
  type OutboxStore,
  type PendingFilter,
  type Selection,
} from './outbox.store.js';
import * as sql from './postgres-outbox.sql.js';

/** How old the known size of the outbox may be; between two looks this replica's own changes are counted. */
const SIZE_MS = 30_000;
/** The most users whose entries are looked at for one selection. */
const MAX_USERS = 32;
const MAX_WOKEN = 10_000;
const MAX_POSTPONED = 10_000;
/** With more of them, the turns of users and projects are kept. */
const MAX_FRESH = 8;
const IDEMPOTENT = { isIdempotent: true };

interface Row {
  [column: string]: unknown;
  id: string;
  topic: string;
  key: string;
  user_id: string;
  project_id: string | null;
  payload: string;
  created_at: string;
  attempts: number;
  recovered: boolean;
  last_error: string | null;
}
type Candidate = { id: string; user_id: string; project: string; chars: number };

/**
 * The outbox in PostgreSQL, shared by several backends. An entry is held or delivered by one of them, its owner; when
 * that one dies, the others inherit its entries. Entries of a key are delivered one after the other over all backends.
 */
export class PostgresOutboxStore implements OutboxStore {
  /** Topics that may have due entries. The others are not looked through until the next beat finds entries of theirs. */
  private readonly hints = new Set<string>();
  /** Entries that this replica has just made ready, by topic: where there are no others, they are taken by their ids. */
  private readonly fresh = new Map<string, Fresh[]>();
  /** All topics that were ever asked for. */
  private readonly asked = new Set<string>();
  /** Topics whose entries are delivered together with others of their project. */
  private readonly batched = new Set<string>();
  /** When the entries that this replica has postponed become due. */
  private postponed: { topic: string; untilMs: number }[] = [];
  private readonly lastTurn = new Map<string, string>();
  private readonly lastProject = new LRUCache<string, string>({ max: 10_000 });
  private chars = 0;
  private countedMs = -Infinity;
  private onWaiting: () => void = () => undefined;

  constructor(
    private readonly db: Postgres,
    private readonly replicas: Replicas,
    private readonly maxBytes: number,
  ) {
    replicas.onDead(async (session, dead) => void (await session.query(sql.INHERIT, [dead])));
    replicas.onBeat(() => this.look());
  }

  watch(listener: () => void): void {
    this.onWaiting = listener;
  }

  async add(entries: readonly NewOutboxEntry[], state: 'held' | 'ready'): Promise<OutboxEntry[]> {
    const made = entries.map(prepared);
    await this.reserve(made.reduce((sum, { text }) => sum + text.length, 0));
    await this.db.write(sql.ADD, this.insertion(made, state), IDEMPOTENT);
    if (state === 'ready') for (const { entry } of made) this.freshen(entry);
    return made.map(({ entry }) => entry);
  }

  async update(id: string, payload: unknown): Promise<void> {
    await this.db.write(sql.UPDATE, [id, JSON.stringify(payload)], IDEMPOTENT);
  }

  async release(
    ids: readonly string[],
    further: readonly NewOutboxEntry[] = [],
    changed: readonly { id: string; payload: unknown }[] = [],
  ): Promise<OutboxEntry[]> {
    const payloads = new Map(changed.map(({ id, payload }) => [id, JSON.stringify(payload)]));
    const made = further.map(prepared);
    await this.reserve(made.reduce((sum, { text }) => sum + text.length, 0));
    const values = [...this.insertion(made, 'ready'), ids, ids.map((id) => payloads.get(id) ?? null)];
    const { rows } = await this.db.write<Released>(sql.RELEASE, values, IDEMPOTENT);
    for (const { id, topic, user_id: userId } of rows) this.freshen({ id, topic, userId });
    for (const { entry } of made) this.freshen(entry);
    return made.map(({ entry }) => entry);
  }

  async remove(ids: readonly string[]): Promise<void> {
    const { rows } = await this.db.write<{ chars: number }>(sql.REMOVE, [ids], IDEMPOTENT);
    this.chars -= rows[0]?.chars ?? 0;
  }

  /** Entries of a dead replica are recovered by the others: see {@link Replicas}. */
  async recoverHeld(): Promise<number> {
    return 0;
  }

  async due(topic: string, nowMs: number, selection: Selection): Promise<OutboxEntry[][]> {
    this.asked.add(topic);
    if (selection.batch !== undefined) this.batched.add(topic);
    this.hintRipe(nowMs);
    if (selection.limit <= 0) return [];
    try {
      if (!this.hints.has(topic)) return await this.takeFresh(topic, nowMs, selection);
      return await this.takeDue(topic, nowMs, selection);
    } catch (error) {
      this.hints.add(topic);
      throw error;
    }
  }

  private async takeFresh(topic: string, nowMs: number, { limit, busy = [] }: Selection): Promise<OutboxEntry[][]> {
    const fresh = this.fresh.get(topic) ?? [];
    if (fresh.length === 0) return [];
    const taken = fresh.filter(({ userId }) => !busy.includes(userId)).slice(0, limit);
    this.fresh.set(
      topic,
      fresh.filter((one) => !taken.includes(one)),
    );
    const claimed = await this.claim(
      taken.map(({ id }) => [id]),
      nowMs,
    );
    // Some wait behind older ones of their keys.
    if (claimed.length < taken.length) this.hints.add(topic);
    return claimed;
  }

  private async takeDue(topic: string, nowMs: number, selection: Selection): Promise<OutboxEntry[][]> {
    this.hints.delete(topic);
    this.fresh.delete(topic);
    const { busy = [], running = [] } = selection;
    const users = await this.usersInTurn(topic, nowMs, busy);
    const groups = users.length === 0 ? [] : await this.groupsOf(topic, users, nowMs, selection);
    const claimed = await this.claim(groups, nowMs);
    if (users.length > 0 || busy.length > 0 || running.some((entry) => entry.topic === topic)) this.hints.add(topic);
    const last = claimed.at(-1)?.[0];
    if (last !== undefined) this.lastTurn.set(topic, last.userId);
    for (const [first] of claimed) {
      if (first !== undefined) this.lastProject.set(`${topic}/${first.userId}`, first.projectId ?? '');
    }
    return claimed;
  }

  private async usersInTurn(topic: string, nowMs: number, busy: readonly string[]): Promise<string[]> {
    const { rows } = await this.db.read<{ user_id: string }>(sql.USERS, [
      ...[topic, nowMs, this.replicas.id, this.lastTurn.get(topic) ?? '', busy, MAX_USERS],
    ]);
    return rows.map(({ user_id }) => user_id);
  }

  /** The ids of groups: an equal share for each user, and of each user one group of each project in turn. */
  private async groupsOf(
    topic: string,
    users: readonly string[],
    nowMs: number,
    { limit, batch, running = [], gathering = [] }: Selection,
  ): Promise<string[][]> {
    const { rows } = await this.db.read<Candidate>(sql.DUE, [
      ...[topic, nowMs, this.replicas.id, users],
      users.map((user) => this.lastProject.get(`${topic}/${user}`) ?? ''),
      ...[limit, batch?.maxEntries ?? limit, batch !== undefined, running.map(({ id }) => id)],
      ...[gathering.map(({ userId }) => userId), gathering.map(({ projectId }) => projectId ?? '')],
    ]);
    const each = Math.ceil(limit / users.length);
    const groups: string[][] = [];
    for (const ofUser of grouped(rows, ({ user_id }) => user_id)) {
      const rounds: string[][][] = [];
      for (const ofProject of grouped(ofUser, ({ project }) => project)) {
        const parts = batch === undefined ? ofProject.map((row) => [row]) : [together(ofProject, batch.maxChars)];
        parts.forEach((part, round) => (rounds[round] ??= []).push(part.map(({ id }) => id)));
      }
      groups.push(...rounds.flat().slice(0, Math.min(each, limit - groups.length)));
    }
    return groups;
  }

  private async claim(groups: readonly string[][], nowMs: number): Promise<OutboxEntry[][]> {
    if (groups.length === 0) return [];
    const { rows } = await this.db.write<Row>(sql.CLAIM, [groups.flat(), this.replicas.id, nowMs], IDEMPOTENT);
    const claimed = new Map(rows.map((row) => [row.id, toEntry(row)]));
    return groups
      .map((group) => group.map((id) => claimed.get(id)).filter((entry) => entry !== undefined))
      .filter((group) => group.length > 0);
  }

  async giveBack(ids: readonly string[]): Promise<void> {
    if (ids.length > 0) await this.db.write(sql.GIVE_BACK, [ids, this.replicas.id], IDEMPOTENT);
  }

  async nextDueMs(nowMs: number): Promise<number | null> {
    return this.postponed.reduce<number | null>(
      (next, { untilMs }) => (untilMs > nowMs ? Math.min(next ?? untilMs, untilMs) : next),
      null,
    );
  }

  async postpone(id: string, untilMs: number, attempts: number, error: string): Promise<void> {
    const values = [id, Math.ceil(untilMs), attempts, textOf(error)];
    const { rows } = await this.db.write<{ topic: string }>(sql.POSTPONE, values, IDEMPOTENT);
    // Those beyond this number are found by a beat.
    if (this.postponed.length >= MAX_POSTPONED) return;
    for (const { topic } of rows) this.postponed.push({ topic, untilMs: Math.ceil(untilMs) });
  }

  async bury(id: string, error: string): Promise<void> {
    await this.db.write(sql.BURY, [id, textOf(error)], IDEMPOTENT);
  }

  async wake(topics: readonly string[]): Promise<void> {
    await this.db.write(sql.WAKE, [topics, Date.now(), MAX_WOKEN], IDEMPOTENT);
    for (const topic of topics) this.hints.add(topic);
  }

  async replay(id: string): Promise<boolean> {
    const { rows } = await this.db.write<{ topic: string }>(sql.REPLAY, [id]);
    for (const { topic } of rows) this.hints.add(topic);
    return rows.length === 1;
  }

  async pending(topic: string, userId: string, { state, ...filter }: PendingFilter & { state?: OutboxState } = {}) {
    const { rows } = await this.db.read<Row>(sql.PENDING, [...ofUser(topic, userId, filter), state ?? null]);
    return rows.map(toEntry);
  }

  async isDelivering(topic: string, userId: string, filter: PendingFilter = {}) {
    const { rows } = await this.db.read<{ found: boolean }>(sql.IS_DELIVERING, ofUser(topic, userId, filter));
    return rows[0]?.found ?? false;
  }

  async counts(topics: readonly string[], userId: string, projectId: string): Promise<Map<string, number>> {
    const values = [userId, topics, projectId];
    const { rows } = await this.db.read<{ topic: string; entries: number }>(sql.COUNTS, values);
    return new Map(rows.map(({ topic, entries }) => [topic, entries]));
  }

  async topics(): Promise<string[]> {
    return (await this.db.read<{ topic: string }>(sql.TOPICS)).rows.map(({ topic }) => topic);
  }

  async readdress(topic: string, to: readonly string[]): Promise<void> {
    await this.db.write(sql.READDRESS, [topic, to]);
    for (const one of to) this.hints.add(one);
  }

  async dead(limit: number): Promise<OutboxEntry[]> {
    return (await this.db.read<Row>(sql.DEAD, [limit])).rows.map(toEntry);
  }

  async stats(): Promise<OutboxStats[]> {
    return (await this.db.read<OutboxStats & Record<string, unknown>>(sql.STATS)).rows;
  }

  /** The connections belong to the module that opened them. */
  async close(): Promise<void> {
    await this.replicas.stop();
  }

  /** Looks for entries that no replica delivers, and for those whose delivery this one could not record. */
  private async look(): Promise<void> {
    const { rows } = await this.db.read<{ topic: string }>(sql.WAITING, [
      [...this.asked],
      Date.now(),
      this.replicas.id,
    ]);
    for (const { topic } of rows) this.hints.add(topic);
    if (rows.length > 0) this.onWaiting();
  }

  private insertion(made: readonly Made[], state: 'held' | 'ready'): unknown[] {
    const column = <T>(value: (one: Made) => T) => made.map(value);
    return [
      ...[column(({ entry }) => entry.id), column(({ entry }) => entry.topic), column(({ entry }) => entry.key)],
      ...[column(({ entry }) => entry.userId), column(({ entry }) => entry.projectId), column(({ text }) => text)],
      column(({ otherKey }) => otherKey),
      ...[new Date().toISOString(), state, state === 'held' ? this.replicas.id : null],
    ];
  }

  private hintRipe(nowMs: number): void {
    const ripe = this.postponed.filter(({ untilMs }) => untilMs <= nowMs);
    if (ripe.length === 0) return;
    this.postponed = this.postponed.filter(({ untilMs }) => untilMs > nowMs);
    for (const { topic } of ripe) this.hints.add(topic);
  }

  private freshen({ id, topic, userId }: Fresh & { topic: string }): void {
    const fresh = this.fresh.get(topic) ?? [];
    const isDirect = this.asked.has(topic) && !this.batched.has(topic) && !this.hints.has(topic);
    if (isDirect && fresh.length < MAX_FRESH) this.fresh.set(topic, [...fresh, { id, userId }]);
    else this.hints.add(topic);
  }

  /** @throws OutboxFullError */
  private async reserve(chars: number): Promise<void> {
    if (performance.now() - this.countedMs > SIZE_MS) {
      this.chars = (await this.db.read<{ chars: number }>(sql.SIZE)).rows[0]?.chars ?? 0;
      this.countedMs = performance.now();
    }
    if (chars > 0 && this.chars + chars > this.maxBytes) {
      throw new OutboxFullError(`the outbox holds ${this.chars} of at most ${this.maxBytes} bytes`);
    }
    this.chars += chars;
  }
}

type Released = { id: string; topic: string; user_id: string };
type Fresh = Pick<OutboxEntry, 'id' | 'userId'>;
type Made = { entry: OutboxEntry; text: string; otherKey: string | null };

function prepared(given: NewOutboxEntry): Made {
  const text = JSON.stringify(given.payload);
  const entry = newEntry({ ...given, payload: JSON.parse(text) as unknown });
  return { entry, text, otherKey: given.otherKey ?? null };
}

const ofUser = (topic: string, userId: string, { keys, projectId }: PendingFilter) => [
  ...[userId, topic, keys ?? null, projectId ?? null],
];

/** Parts of a sorted list with the same key. */
function grouped<T>(rows: readonly T[], keyOf: (row: T) => string): T[][] {
  const groups = new Map<string, T[]>();
  for (const row of rows) groups.set(keyOf(row), [...(groups.get(keyOf(row)) ?? []), row]);
  return [...groups.values()];
}

/** The first rows, as many as may go in one call; at least one. */
function together(rows: readonly Candidate[], maxChars: number): Candidate[] {
  let chars = 0;
  return rows.filter((row, index) => (chars += row.chars) <= maxChars || index === 0);
}

/** PostgreSQL stores no U+0000. */
const textOf = (error: string) => error.replaceAll('\0', '\\0');

function toEntry(row: Row): OutboxEntry {
  const { id, topic, key, attempts, recovered } = row;
  const payload = JSON.parse(row.payload) as unknown;
  const owner = { userId: row.user_id, projectId: row.project_id };
  return {
    id,
    topic,
    key,
    ...owner,
    payload,
    createdAt: row.created_at,
    attempts,
    recovered,
    lastError: row.last_error,
  };
}
