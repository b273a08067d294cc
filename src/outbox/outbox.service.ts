import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { PinoLogger } from 'nestjs-pino';
import { InjectConfig } from '../config/config.module.js';
import type { Config, ServiceName } from '../config/config.schema.js';
import type { CallContext } from '../resilience/policy/call-context.js';
import type { DownstreamReason } from '../contract/downstream-reason.js';
import { DownstreamError } from '../resilience/policy/downstream-error.js';
import { ServiceRegistry } from '../resilience/service-registry.js';
import { isStorageBusy, isStorageFull } from '../storage/storage-errors.js';
import {
  type BatchLimits,
  newEntry,
  type NewOutboxEntry,
  type OutboxEntry,
  OutboxFullError,
  type OutboxStore,
  type ProjectOfEntries,
} from './outbox.store.js';

export const OUTBOX_STORE = Symbol('OutboxStore');

/** Delivers the entries of one topic. */
export interface OutboxHandler {
  readonly topic: string;
  /** The service that entries go to; when it recovers, they become due at once. */
  readonly service: ServiceName;
  /**
   * The server that they go to, of several that each keep all data of the service. Each has an order, a breaker and pauses
   * of its own, and a handler of its own, whose entries have the topic {@link topicAt}.
   */
  readonly endpoint?: string | undefined;
  /** May run twice for one entry, so the receiver must be idempotent. A `DownstreamError` postpones the entry. */
  deliver(entry: OutboxEntry, call: CallContext): Promise<void>;
  /**
   * Delivers several entries of one user and project at once, in their order, no two of them of one key. A project has one
   * such call at a time.
   */
  readonly batch?: BatchLimits & {
    /** The shortest time from a call with some entries to the next of its project, so that more go in one; none for full calls. */
    gatherMs(entries: number): number;
    /**
     * As {@link deliver}: where it fails, some of the entries may have been delivered.
     * @returns how many it has delivered, from the first on: at least one. The others are delivered by further calls.
     */
    deliver(entries: readonly OutboxEntry[], call: CallContext): Promise<number>;
  };
}

/** The topic of the entries for one of several servers that each keep all data of their service. */
export const topicAt = (topic: string, endpoint: string | undefined) =>
  endpoint === undefined ? topic : `${topic}${AT}${endpoint}`;
const AT = '@';

/** `reason`: why the entry waits in the outbox; none where it is only not delivered yet. */
export interface Delivery {
  delivered: boolean;
  reason?: DownstreamReason;
}

/** Entries that are being delivered in one call. */
interface Running {
  readonly receiver: string;
  readonly userId: string;
  readonly entries: readonly OutboxEntry[];
  readonly ended: Promise<void>;
}

/** The service was away or overloaded, which is no fault of the entry. */
const ABSENT: ReadonlySet<DownstreamReason> = new Set([
  'unreachable',
  'timeout',
  'circuit_open',
  'saturated',
  'deadline',
  'cancelled',
]);
const INSUFFICIENT_STORAGE = 507;
/** Whether the service was away or overloaded. */
export const isAbsence = (error: unknown) =>
  error instanceof DownstreamError && (ABSENT.has(error.reason) || error.status === INSUFFICIENT_STORAGE);
/** Concurrent deliveries to one receiver; receivers do not wait for each other. */
const PARALLEL = 8;
/** How many of them may be of one user, so that a user with many entries does not delay others. */
const PER_USER = 4;
/**
 * How many attempts a failed one counts for when the service answered other entries meanwhile: this entry may crash
 * the service or keep it busy. With 20 attempts it is set aside after the fifth.
 */
const SUSPICION = 4;
/** Failures that the entry itself may have caused. */
const SUSPICIOUS: ReadonlySet<DownstreamReason> = new Set(['timeout', 'unreachable']);
const DELIVERY_MS = 60_000;
const MAX_POSTPONED = 10_000;
/** New entries are kept in memory only while fewer writes than these are postponed. */
const MAX_POSTPONED_BEFORE_NEW = 500;
/** How often entries are looked for whose server is not in the configuration any more. */
const READDRESS_MS = 5 * 60_000;
/** A smaller jump of the clock is a normal correction and is ignored. */
const CLOCK_SLACK_MS = 1000;

/** Stores entries first and delivers each one until the receiver has it: at once while the service is up, else with exponential backoff. */
@Injectable()
export class Outbox implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly handlers = new Map<string, OutboxHandler>();
  private readonly running = new Set<Running>();
  /** The projects whose next call waits for more entries. */
  private readonly gathering = new Set<ProjectOfEntries & { topic: string }>();
  /** How many entries each receiver has accepted since the start. */
  private readonly taken = new Map<string, number>();
  /** Entries whose last attempt got no answer, with the number in {@link taken} at that time. */
  private readonly unanswered = new LRUCache<string, number>({ max: 10_000 });
  /**
   * How many entries may go in one call with this one. A call that fails is repeated in two halves, so that after a few
   * calls an entry that the service does not take is alone, and its neighbours are delivered.
   */
  private readonly maxTogether = new LRUCache<string, number>({ max: 10_000 });
  /** Receivers whose breaker is open, with the time of `performance.now()` until which deliveries pause. */
  private readonly paused = new Map<string, number>();
  private readonly waiting = new Map<string, (outcome: Delivery) => void>();
  private readonly stopping = new AbortController();
  private timer: NodeJS.Timeout | undefined;
  private readdressing: NodeJS.Timeout | undefined;
  /** Writes that the store could not make because it was full or locked, in order. */
  private readonly postponed: (() => Promise<unknown>)[] = [];
  private postponing: Promise<void> | undefined;
  private pumping = false;
  private again = false;
  private clockOffsetMs = clockOffsetMs();

  constructor(
    @InjectConfig() private readonly config: Config,
    @Inject(OUTBOX_STORE) readonly store: OutboxStore,
    private readonly services: ServiceRegistry,
    private readonly log: PinoLogger,
  ) {
    setMaxListeners(0, this.stopping.signal);
  }

  register(handler: OutboxHandler): void {
    this.handlers.set(topicAt(handler.topic, handler.endpoint), handler);
  }

  async onApplicationBootstrap(): Promise<void> {
    const recovered = await this.store.recoverHeld();
    this.store.watch?.(() => void this.pump());
    if (recovered > 0) this.log.warn({ recovered }, 'Outbox: taking up what the last run left unfinished');
    this.services.onStateChange(({ service, to }) => {
      if (to === 'closed') this.wakeSoon((handler) => handler.service === service && handler.endpoint === undefined);
    });
    this.services.onCopyChange(({ service, url }, to) => {
      if (to === 'closed') this.wakeSoon((handler) => handler.service === service && handler.endpoint === url);
    });
    await this.readdress();
    this.readdressing = setInterval(() => void this.readdress(), READDRESS_MS).unref();
    void this.pump();
  }

  async onApplicationShutdown(): Promise<void> {
    this.stopping.abort();
    clearTimeout(this.timer);
    clearInterval(this.readdressing);
    await Promise.allSettled([...this.running].map(({ ended }) => ended));
    await this.postponing;
    await this.store.close();
  }

  /** Stores entries that are not delivered before {@link release} and removed by {@link discard}. */
  hold(entries: readonly NewOutboxEntry[]): Promise<OutboxEntry[]> {
    return this.store.add(entries, 'held');
  }

  /**
   * Like {@link hold}, but entries that a full or locked store does not take are kept in memory, and stored when it takes
   * writes again. The end of the process loses those that are not stored then; {@link delivery} reports `saturated`.
   */
  async holdInAnyCase(entries: readonly NewOutboxEntry[]): Promise<OutboxEntry[]> {
    if (this.postponed.length >= MAX_POSTPONED_BEFORE_NEW) return this.hold(entries);
    const kept = entries.map(newEntry);
    return (await this.eventually(() => this.store.add(kept, 'held'))) ?? kept;
  }

  async discard(entries: readonly OutboxEntry[]): Promise<void> {
    await this.eventually(() => this.store.remove(entries.map((entry) => entry.id)));
  }

  /** Discards all entries of a user, also held and dead ones, but those of the topics in `kept`. */
  async discardAll(userId: string, kept: ReadonlySet<string>): Promise<void> {
    for (const [topic, handler] of this.handlers) {
      if (!kept.has(handler.topic)) await this.discard(await this.store.pending(topic, userId));
    }
  }

  /** Replaces the payload of a held entry. */
  async update(entry: OutboxEntry, payload: unknown): Promise<void> {
    await this.eventually(() => this.store.update(entry.id, payload));
  }

  /**
   * Makes held entries ready, and adds further ready ones. `changed`: new payloads for some of them.
   * @returns the further entries; none where the store is full or locked and writes them later
   */
  async release(
    held: readonly OutboxEntry[],
    further: readonly NewOutboxEntry[] = [],
    changed: readonly { id: string; payload: unknown }[] = [],
  ): Promise<OutboxEntry[]> {
    const ids = held.map((entry) => entry.id);
    const added = await this.eventually(async () => {
      const released = await this.store.release(ids, further, changed);
      void this.pump();
      return released;
    });
    return added ?? [];
  }

  async send(entries: readonly NewOutboxEntry[]): Promise<OutboxEntry[]> {
    const added = await this.store.add(entries, 'ready');
    void this.pump();
    return added;
  }

  /**
   * Waits up to `waitMs` for the delivery of an entry; the first failed attempt ends the wait. Call it before the release.
   */
  delivery(entry: OutboxEntry, waitMs: number): Promise<Delivery> {
    if (this.isPaused(entry.topic)) {
      return Promise.resolve({ delivered: false, reason: 'circuit_open' });
    }
    if (this.postponed.length > 0) return Promise.resolve({ delivered: false, reason: 'saturated' });
    return new Promise((resolve) => {
      const settle = (outcome: Delivery) => {
        clearTimeout(timer);
        this.waiting.delete(entry.id);
        resolve(outcome);
      };
      const timer = setTimeout(() => settle({ delivered: false }), waitMs);
      this.waiting.set(entry.id, settle);
    });
  }

  /** Soon removes delivered and discarded entries from the store's files: they may quote deleted texts. */
  scrub(): void {
    this.store.scrub?.();
  }

  async replay(id: string): Promise<boolean> {
    const found = await this.store.replay(id);
    if (found) void this.pump();
    return found;
  }

  /**
   * Makes a write whose effect has been promised to a caller already. Where the disk is full or the store locked,
   * this write and all later ones are made when there is room, in order.
   */
  private async eventually<T>(write: () => Promise<T>): Promise<T | undefined> {
    if (this.postponed.length === 0) {
      try {
        return await write();
      } catch (error) {
        if (!isStorageFull(error) && !isStorageBusy(error)) throw error;
        this.log.warn({ err: error }, 'Outbox: the store takes no writes; what was begun is written down later');
      }
    }
    if (this.postponed.length >= MAX_POSTPONED) throw new OutboxFullError('too many writes wait for the store');
    this.postponed.push(write);
    this.postponing ??= this.catchUp().finally(() => (this.postponing = undefined));
    return undefined;
  }

  private async catchUp(): Promise<void> {
    for (let write = this.postponed[0]; write !== undefined; write = this.postponed[0]) {
      try {
        await write();
        this.postponed.shift();
      } catch (error) {
        if (this.stopping.signal.aborted) return;
        if (!isStorageFull(error) && !isStorageBusy(error)) {
          this.log.error({ err: error }, 'Outbox: a write that was made later failed');
          this.postponed.shift();
        } else await this.pauseForStore();
      }
    }
  }

  private async pauseForStore(): Promise<void> {
    const wait = { signal: this.stopping.signal, ref: false };
    await sleep(this.config.outbox.retry_base_ms, undefined, wait).catch(() => undefined);
  }

  /** Makes the entries of some handlers due. */
  private wakeSoon(isMeant: (handler: OutboxHandler) => boolean): void {
    const handlers = [...this.handlers].filter(([, handler]) => isMeant(handler));
    if (handlers.length === 0 || this.stopping.signal.aborted) return;
    for (const [, handler] of handlers) this.paused.delete(receiverOf(handler));
    void this.store
      .wake(handlers.map(([topic]) => topic))
      .then(() => this.pump())
      .catch((error: unknown) => this.storeFailed(error));
  }

  /**
   * Entries for a server that is not configured any more, or from before there were several, go to all servers that are:
   * these ignore what they have.
   */
  private async readdress(): Promise<void> {
    try {
      for (const topic of await this.store.topics()) {
        if (this.handlers.has(topic)) continue;
        const [name] = topic.split(AT);
        const to = [...this.handlers].filter(([, handler]) => handler.topic === name).map(([known]) => known);
        if (to.length === 0) continue;
        await this.store.readdress(topic, to);
        this.log.warn({ topic, to }, `Outbox: entries for ${topic} go to ${to.join(' and ')}`);
      }
      void this.pump();
    } catch (error) {
      this.log.error({ err: error }, 'Outbox: entries for servers that are not configured any more stay');
    }
  }

  /** Starts the delivery of due entries, and sets the timer for the next one. */
  private async pump(): Promise<void> {
    this.again = true;
    if (this.pumping || this.stopping.signal.aborted) return;
    this.pumping = true;
    try {
      // Calls that came while this one waited for the store returned at once, so it runs once more for them.
      while (this.again && !this.stopping.signal.aborted) {
        this.again = false;
        await this.followClock();
        const nowMs = Date.now();
        await this.startDue(nowMs);
        await this.sleep(nowMs);
      }
    } catch (error) {
      this.log.error({ err: error }, 'Outbox: the store failed; trying again');
      this.timer = setTimeout(() => void this.pump(), this.config.outbox.retry_max_ms);
    } finally {
      this.pumping = false;
    }
  }

  private async startDue(nowMs: number): Promise<void> {
    for (const [topic, handler] of this.handlers) {
      if (this.isPaused(topic)) continue;
      const running = [...this.running].filter(({ receiver }) => receiver === receiverOf(handler));
      if (running.length >= PARALLEL) continue;
      const perUser = new Map<string, number>();
      for (const { userId } of running) perUser.set(userId, (perUser.get(userId) ?? 0) + 1);
      const due = await this.store.due(topic, nowMs, {
        limit: PARALLEL - running.length,
        batch: handler.batch,
        running: running.flatMap(({ entries }) => entries),
        gathering: [...this.gathering].filter((project) => project.topic === topic),
        busy: [...perUser].filter(([, calls]) => calls >= PER_USER).map(([userId]) => userId),
      });
      const left = new Set(due.flat());
      for (const [first, ...others] of due) {
        if (first === undefined) continue;
        const calls = perUser.get(first.userId) ?? 0;
        if (calls >= PER_USER) continue;
        perUser.set(first.userId, calls + 1);
        const entries = this.together(first, others);
        for (const entry of entries) left.delete(entry);
        this.start(entries, handler);
      }
      await this.store.giveBack?.([...left].map(({ id }) => id));
    }
  }

  /** The beginning of a group that may go in one call. */
  private together(first: OutboxEntry, others: readonly OutboxEntry[]): OutboxEntry[] {
    const taken = [first];
    let most = this.maxTogether.get(first.id) ?? Infinity;
    for (const entry of others) {
      most = Math.min(most, this.maxTogether.get(entry.id) ?? Infinity);
      if (taken.length >= most) break;
      taken.push(entry);
    }
    return taken;
  }

  /** Entries that were due are being delivered, or start when a delivery ends. */
  private async sleep(nowMs: number): Promise<void> {
    clearTimeout(this.timer);
    const pausesMs = [...this.paused.values()].map((untilMs) => untilMs - performance.now()).filter((ms) => ms > 0);
    const nextDueMs = (await this.store.nextDueMs(nowMs)) ?? Infinity;
    const waitMs = Math.min(nextDueMs - Date.now(), ...pausesMs);
    if (waitMs === Infinity || this.stopping.signal.aborted) return;
    this.timer = setTimeout(() => void this.pump(), Math.max(10, waitMs));
  }

  /** Due times are kept on disk as wall-clock times. When the clock was set back, they are too far in the future. */
  private async followClock(): Promise<void> {
    const before = this.clockOffsetMs;
    this.clockOffsetMs = clockOffsetMs();
    if (this.clockOffsetMs < before - CLOCK_SLACK_MS) await this.store.wake([...this.handlers.keys()]);
  }

  /** Whether deliveries of a topic pause because the breaker of their receiver is open. */
  isPaused(topic: string): boolean {
    const handler = this.handlers.get(topic);
    return handler !== undefined && (this.paused.get(receiverOf(handler)) ?? 0) > performance.now();
  }

  private start(entries: readonly OutboxEntry[], handler: OutboxHandler): void {
    this.gather(entries, handler);
    const ended = this.deliver(entries, handler)
      .catch((error: unknown) => this.storeFailed(error))
      .finally(() => {
        this.running.delete(running);
        void this.pump();
      });
    const running: Running = { receiver: receiverOf(handler), userId: entries[0]?.userId ?? '', entries, ended };
    this.running.add(running);
  }

  /** Lets the next call of the project wait, unless this one is full. */
  private gather(entries: readonly OutboxEntry[], { batch }: OutboxHandler): void {
    const [first] = entries;
    if (batch === undefined || first === undefined || entries.length >= batch.maxEntries / 2) return;
    const gatherMs = batch.gatherMs(entries.length);
    if (gatherMs === 0) return;
    const { topic, userId, projectId } = first;
    const project = { topic, userId, projectId };
    this.gathering.add(project);
    setTimeout(() => {
      this.gathering.delete(project);
      void this.pump();
    }, gatherMs).unref();
  }

  private async deliver(entries: readonly OutboxEntry[], handler: OutboxHandler): Promise<void> {
    const settle = (outcome: Delivery, some = entries) => {
      for (const { id } of some) this.waiting.get(id)?.(outcome);
    };
    try {
      const count = await this.call(entries, handler, (reason) => settle({ delivered: false, reason }));
      const delivered = entries.slice(0, count);
      // The receiver has the entries, so waiting callers continue before their removal is stored.
      settle({ delivered: true }, delivered);
      this.taken.set(receiverOf(handler), this.takenBy(handler) + delivered.length);
      await this.store.remove(delivered.map(({ id }) => id));
      await this.store.giveBack?.(entries.slice(count).map(({ id }) => id));
    } catch (error) {
      const reason = error instanceof DownstreamError ? { reason: error.reason } : {};
      if (error instanceof DownstreamError && error.reason === 'circuit_open') {
        const waitMs = error.retryAfterMs ?? this.config.outbox.retry_base_ms;
        this.paused.set(receiverOf(handler), performance.now() + waitMs);
      }
      settle({ delivered: false, ...reason });
      if (this.stopping.signal.aborted) return;
      const [only, ...others] = entries;
      if (only !== undefined && others.length === 0) {
        return this.undelivered(only, error, this.weigh(only, handler, error));
      }
      await this.notTogether(entries, error);
    }
  }

  /** @returns how many entries were delivered */
  private async call(
    entries: readonly OutboxEntry[],
    handler: OutboxHandler,
    onAttemptFailed: (reason: DownstreamReason) => void,
  ): Promise<number> {
    const [first, ...others] = entries as readonly [OutboxEntry, ...OutboxEntry[]];
    const call: CallContext = {
      requestId: first.id,
      userId: first.userId,
      deadlineMs: performance.now() + DELIVERY_MS,
      signal: this.stopping.signal,
      onAttemptFailed,
    };
    if (handler.batch !== undefined && others.length > 0) return handler.batch.deliver(entries, call);
    await handler.deliver(first, { ...call, idempotencyKey: first.id });
    return 1;
  }

  /** Which entry made the call fail is unknown, so it counts for none of them. */
  private async notTogether(entries: readonly OutboxEntry[], error: unknown): Promise<void> {
    const isAway = isAbsence(error);
    if (!isAway || (error instanceof DownstreamError && SUSPICIOUS.has(error.reason))) {
      const half = Math.ceil(entries.length / 2);
      for (const { id } of entries) this.maxTogether.set(id, half);
    }
    // Where the service answered, the halves are sent at once.
    if (isAway) for (const entry of entries) await this.undelivered(entry, error, 0);
    else {
      this.log.info({ entries: entries.length, err: error }, 'Outbox: a batch was refused; its halves are sent');
      await this.store.giveBack?.(entries.map(({ id }) => id));
    }
  }

  /** The result of a delivery could not be stored: the entry is delivered again, after a wait. */
  private async storeFailed(error: unknown): Promise<void> {
    this.log.error({ err: error }, 'Outbox: the store failed; trying again');
    await this.pauseForStore();
  }

  /** How many attempts a failed delivery counts for. */
  private weigh({ id }: OutboxEntry, handler: OutboxHandler, error: unknown): number {
    if (!isAbsence(error)) return 1;
    if (!(error instanceof DownstreamError) || !SUSPICIOUS.has(error.reason)) return 0;
    const before = this.unanswered.get(id);
    this.unanswered.set(id, this.takenBy(handler));
    return before !== undefined && before < this.takenBy(handler) ? SUSPICION : 0;
  }

  private takenBy(handler: OutboxHandler): number {
    return this.taken.get(receiverOf(handler)) ?? 0;
  }

  private async undelivered(entry: OutboxEntry, error: unknown, weight: number): Promise<void> {
    const { retry_base_ms, retry_max_ms, max_attempts } = this.config.outbox;
    const message = error instanceof Error ? error.message : String(error);
    const attempts = entry.attempts + weight;
    const fields = { topic: entry.topic, entry: entry.id, attempts };
    if (attempts >= max_attempts) {
      await this.store.bury(entry.id, message);
      this.log.error(
        { ...fields, err: error },
        `Outbox: ${entry.topic} was refused again and again (${attempts} of ${max_attempts}) and is set aside`,
      );
      return;
    }
    const backoffMs = Math.min(retry_max_ms, retry_base_ms * 2 ** Math.min(attempts, 20));
    const waitMs = error instanceof DownstreamError ? Math.max(backoffMs, error.retryAfterMs ?? 0) : backoffMs;
    await this.store.postpone(entry.id, Date.now() + waitMs, attempts, message);
    this.log.info(fields, `Outbox: ${entry.topic} waits for its next delivery: ${message}`);
  }
}

/** The service that a handler delivers to, or one server of it. */
const receiverOf = ({ service, endpoint }: OutboxHandler) => topicAt(service, endpoint);

/** The difference of wall clock and monotonic clock; it changes when the clock is set. */
function clockOffsetMs(): number {
  return Date.now() - performance.now();
}
