/** What must not be lost on its way to a downstream service. */
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
  /** Refusals so far; an absent service counts as none. */
  readonly attempts: number;
  /** It was held by a process that died: nobody knows whether what it belongs to took place. */
  readonly recovered: boolean;
  readonly lastError: string | null;
}
export type NewOutboxEntry = Pick<OutboxEntry, 'topic' | 'key' | 'userId' | 'projectId' | 'payload'>;

/**
 * - `held`: written down, not to be delivered before {@link OutboxStore.release}
 * - `ready`: to be delivered
 * - `dead`: refused too often, set aside until an operator replays it
 */
export type OutboxState = 'held' | 'ready' | 'dead';

export interface OutboxStats {
  topic: string;
  state: OutboxState;
  entries: number;
  /** UTC, ISO 8601. */
  oldest: string;
}

/** The outbox has no room (`outbox.max_bytes`, or the disk): what it could not keep is refused, not dropped. */
export class OutboxFullError extends Error {
  /** As a full disk has it: to whoever asks, the two are one. */
  readonly code = 'ENOSPC';
}

/** A durable queue: what a method has returned for survives a kill. Times are milliseconds since 1970. */
export interface OutboxStore {
  /** Writes all or none. @throws OutboxFullError */
  add(entries: readonly NewOutboxEntry[], state: 'held' | 'ready'): Promise<OutboxEntry[]>;
  /** Replaces what a held entry will deliver. @throws OutboxFullError */
  update(id: string, payload: unknown): Promise<void>;
  /**
   * Makes held entries ready, and writes further ready ones, all or none.
   * @param changed what some of them will deliver instead
   * @throws OutboxFullError
   */
  release(
    ids: readonly string[],
    further?: readonly NewOutboxEntry[],
    changed?: readonly { id: string; payload: unknown }[],
  ): Promise<OutboxEntry[]>;
  remove(ids: readonly string[]): Promise<void>;
  /** What a process that died left held becomes ready, marked `recovered`. For the start, before anything is added. */
  recoverHeld(): Promise<number>;
  /**
   * Ready entries of a topic whose time has come, by turns of the users; of each user oldest first, of each key its oldest
   * alone.
   * @param running ids of entries that are left out
   * @param busy users that are left out
   */
  due(
    topic: string,
    nowMs: number,
    limit: number,
    running?: readonly string[],
    busy?: readonly string[],
  ): Promise<OutboxEntry[]>;
  /** When the next ready entry after `nowMs` is due; null where there is none. */
  nextDueMs(nowMs: number): Promise<number | null>;
  postpone(id: string, untilMs: number, attempts: number, error: string): Promise<void>;
  /** Sets an entry aside. */
  bury(id: string, error: string): Promise<void>;
  /** Makes the ready entries of these topics due now. */
  wake(topics: readonly string[]): Promise<void>;
  /** Makes a dead entry ready again; false where there is no such one. */
  replay(id: string): Promise<boolean>;
  /** What is left of one user's topic, oldest first; what was set aside is kept still and so belongs to it. */
  pending(topic: string, userId: string, filter?: { key?: string; projectId?: string }): Promise<OutboxEntry[]>;
  /** Whether {@link pending} has a ready entry that nothing went wrong with yet. */
  isDelivering(topic: string, userId: string, filter?: { key?: string; projectId?: string }): Promise<boolean>;
  dead(limit: number): Promise<OutboxEntry[]>;
  stats(): Promise<OutboxStats[]>;
  /** Leaves nothing of removed entries in files, where it keeps files of its own. */
  scrub?(): void;
  close(): Promise<void>;
}
