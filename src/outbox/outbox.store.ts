import { randomUUID } from 'node:crypto';

/** A message for a downstream service that must not be lost. */
export interface OutboxEntry {
  readonly id: string;
  /** Which handler delivers it. */
  readonly topic: string;
  /** Entries of one topic and key are delivered one after the other, in the order they were written. */
  readonly key: string;
  readonly userId: string;
  readonly projectId: string | null;
  readonly payload: unknown;
  /** UTC, ISO 8601. */
  readonly createdAt: string;
  /** Failed attempts so far; an attempt while the service was away does not count. */
  readonly attempts: number;
  /** It was held by a process that died, so the change that it belongs to may or may not have happened. */
  readonly recovered: boolean;
  readonly lastError: string | null;
}
/** Without `id` it gets one. */
export type NewOutboxEntry = Pick<OutboxEntry, 'topic' | 'key' | 'userId' | 'projectId' | 'payload'> & {
  readonly id?: string;
  /** A further key that it is about, by which {@link OutboxStore.pending} finds it; it has no effect on the order. */
  readonly otherKey?: string | undefined;
};

export function newEntry({ id = randomUUID(), topic, key, userId, projectId, payload }: NewOutboxEntry): OutboxEntry {
  const state = { createdAt: new Date().toISOString(), attempts: 0, recovered: false, lastError: null };
  return { id, topic, key, userId, projectId, payload, ...state };
}

/**
 * - `held`: stored, not to be delivered before {@link OutboxStore.release}
 * - `ready`: to be delivered
 * - `dead`: failed too often, set aside until an operator replays it
 */
export type OutboxState = 'held' | 'ready' | 'dead';

export interface OutboxStats {
  topic: string;
  state: OutboxState;
  entries: number;
  /** UTC, ISO 8601. */
  oldest: string;
}

/** How much may be delivered in one call. */
export interface BatchLimits {
  readonly maxEntries: number;
  /** Of their payloads; a single entry may be larger. */
  readonly maxChars: number;
}

export type ProjectOfEntries = Pick<OutboxEntry, 'userId' | 'projectId'>;

export interface Selection {
  /** The most groups. */
  readonly limit: number;
  /** Without it each group is one entry. With it, projects with entries in `running` are left out, so that their next batch is full. */
  readonly batch?: BatchLimits | undefined;
  /** Entries that are being delivered: they are left out. */
  readonly running?: readonly OutboxEntry[];
  /** Users that are left out. */
  readonly busy?: readonly string[];
  /** Projects that are left out, where there is a `batch`. */
  readonly gathering?: readonly ProjectOfEntries[];
}

/** The entries that are about some keys, or of a project. */
export interface PendingFilter {
  keys?: readonly string[];
  projectId?: string;
}

/** The outbox has no room (`outbox.max_bytes`, or the disk). The entry is refused, not dropped. */
export class OutboxFullError extends Error {
  /** The code of a full disk: callers treat the two alike. */
  readonly code = 'ENOSPC';
}

/** A durable queue: when a method has returned, its effect survives a kill. Times are milliseconds since 1970. */
export interface OutboxStore {
  /** Writes all or none. @throws OutboxFullError */
  add(entries: readonly NewOutboxEntry[], state: 'held' | 'ready'): Promise<OutboxEntry[]>;
  /** Replaces the payload of a held entry. @throws OutboxFullError */
  update(id: string, payload: unknown): Promise<void>;
  /**
   * Makes held entries ready, and writes further ready ones, all or none.
   * @param changed new payloads for some of them
   * @throws OutboxFullError
   */
  release(
    ids: readonly string[],
    further?: readonly NewOutboxEntry[],
    changed?: readonly { id: string; payload: unknown }[],
  ): Promise<OutboxEntry[]>;
  remove(ids: readonly string[]): Promise<void>;
  /** Makes entries ready that a process held when it died, marked `recovered`. Call it at start, before entries are added. */
  recoverHeld(): Promise<number>;
  /**
   * Due entries of a topic in groups, each of one user and project and to be delivered together. Round robin over the users,
   * and over the projects of each user; of each project oldest first, of each key only the oldest.
   */
  due(topic: string, nowMs: number, selection: Selection): Promise<OutboxEntry[][]>;
  /** When the next ready entry after `nowMs` is due; null where there is none. */
  nextDueMs(nowMs: number): Promise<number | null>;
  /** Entries of {@link due} that are not delivered now: other processes may take them, where several share the store. */
  giveBack?(ids: readonly string[]): Promise<void>;
  /** Calls `listener` when entries of other processes may be due here, where several share the store. */
  watch?(listener: () => void): void;
  postpone(id: string, untilMs: number, attempts: number, error: string): Promise<void>;
  /** Sets an entry aside. */
  bury(id: string, error: string): Promise<void>;
  /** Makes the ready entries of these topics due now. */
  wake(topics: readonly string[]): Promise<void>;
  /** Makes a dead entry ready again; false where there is no such one. */
  replay(id: string): Promise<boolean>;
  /** All entries of a topic that one user still has, oldest first; without `state` held and dead ones, too. */
  pending(topic: string, userId: string, filter?: PendingFilter & { state?: OutboxState }): Promise<OutboxEntry[]>;
  /** Whether {@link pending} has a ready entry without a failed attempt. */
  isDelivering(topic: string, userId: string, filter?: PendingFilter): Promise<boolean>;
  /** How many entries of each of these topics a user has in a project, of all states; topics without any are left out. */
  counts(topics: readonly string[], userId: string, projectId: string): Promise<Map<string, number>>;
  /** The topics that have entries. */
  topics(): Promise<string[]>;
  /**
   * Gives the ready and dead entries of a topic to other topics, each of which gets all of them, in their order and as they
   * are. Entries that are being delivered stay.
   */
  readdress(topic: string, to: readonly string[]): Promise<void>;
  dead(limit: number): Promise<OutboxEntry[]>;
  stats(): Promise<OutboxStats[]>;
  /** Removes all traces of removed entries from its files, where it has files of its own. */
  scrub?(): void;
  close(): Promise<void>;
}
