import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { InjectConfig } from '../config/config.module.js';
import type { ClientName, Config, ServiceName } from '../config/config.schema.js';
import type { CallContext } from '../resilience/policy/call-context.js';
import type { DownstreamReason } from '../contract/downstream-reason.js';
import { DownstreamError } from '../resilience/policy/downstream-error.js';
import { ServiceRegistry } from '../resilience/service-registry.js';
import type { NewOutboxEntry, OutboxEntry, OutboxStore } from './outbox.store.js';

export const OUTBOX_STORE = Symbol('OutboxStore');

/** Delivers the entries of one topic. */
export interface OutboxHandler {
  readonly topic: string;
  /** Whose recovery makes the topic's entries due at once. */
  readonly service: ServiceName;
  /** May run twice for one entry: whoever receives it must take it once. A `DownstreamError` postpones the entry. */
  deliver(entry: OutboxEntry, call: CallContext): Promise<void>;
}

/** `reason`: why it waits in the outbox; none where it is merely not there yet. */
export interface Delivery {
  delivered: boolean;
  reason?: DownstreamReason;
}

/** The service was not there to judge the entry: this is no mark against the entry. */
const ABSENT: ReadonlySet<DownstreamReason> = new Set([
  'unreachable',
  'timeout',
  'circuit_open',
  'saturated',
  'deadline',
  'cancelled',
]);
const INSUFFICIENT_STORAGE = 507;
/** Whether the service was not there at all, or had no room. */
export const isAbsence = (error: unknown) =>
  error instanceof DownstreamError && (ABSENT.has(error.reason) || error.status === INSUFFICIENT_STORAGE);
/** Deliveries to one service at a time: one that hangs holds up no other. */
const PARALLEL = 8;
const DELIVERY_MS = 60_000;
/** A clock that is kept in step by small corrections is not set back. */
const CLOCK_SLACK_MS = 1000;

/** Written first, delivered later, once: at once where the service is there, with growing waits where it is not. */
@Injectable()
export class Outbox implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly handlers = new Map<string, OutboxHandler>();
  private readonly running = new Map<string, { service: ServiceName; ended: Promise<void> }>();
  /** Services whose breaker is open, with the time of `performance.now()` until which nothing is sent to them. */
  private readonly paused = new Map<ServiceName, number>();
  private readonly waiting = new Map<string, (outcome: Delivery) => void>();
  private readonly stopping = new AbortController();
  private timer: NodeJS.Timeout | undefined;
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
    this.handlers.set(handler.topic, handler);
  }

  async onApplicationBootstrap(): Promise<void> {
    const recovered = await this.store.recoverHeld();
    if (recovered > 0) this.log.warn({ recovered }, 'Outbox: taking up what the last run left unfinished');
    this.services.onStateChange(({ service, to }) => {
      if (to === 'closed') void this.wake(service);
    });
    void this.pump();
  }

  async onApplicationShutdown(): Promise<void> {
    this.stopping.abort();
    clearTimeout(this.timer);
    await Promise.allSettled([...this.running.values()].map(({ ended }) => ended));
    await this.store.close();
  }

  /** Writes entries that stay put until {@link release} or {@link discard}. */
  hold(entries: readonly NewOutboxEntry[]): Promise<OutboxEntry[]> {
    return this.store.add(entries, 'held');
  }

  discard(entries: readonly OutboxEntry[]): Promise<void> {
    return this.store.remove(entries.map((entry) => entry.id));
  }

  /** Sends held entries, and further ones, on their way; `changed`: what some of them deliver instead. */
  async release(
    held: readonly OutboxEntry[],
    further: readonly NewOutboxEntry[] = [],
    changed: readonly { id: string; payload: unknown }[] = [],
  ): Promise<OutboxEntry[]> {
    const ids = held.map((entry) => entry.id);
    const added = await this.store.release(ids, further, changed);
    void this.pump();
    return added;
  }

  async send(entries: readonly NewOutboxEntry[]): Promise<OutboxEntry[]> {
    const added = await this.store.add(entries, 'ready');
    void this.pump();
    return added;
  }

  /**
   * How the entry fares within `waitMs`; the first failed attempt ends the wait. To be called before it is released.
   */
  delivery(entry: OutboxEntry, waitMs: number): Promise<Delivery> {
    if (this.isPaused(this.handlers.get(entry.topic)?.service)) {
      return Promise.resolve({ delivered: false, reason: 'circuit_open' });
    }
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

  async replay(id: string): Promise<boolean> {
    const found = await this.store.replay(id);
    if (found) void this.pump();
    return found;
  }

  private async wake(service: ClientName): Promise<void> {
    const handlers = [...this.handlers.values()].filter((handler) => handler.service === service);
    if (handlers.length === 0 || this.stopping.signal.aborted) return;
    for (const handler of handlers) this.paused.delete(handler.service);
    await this.store.wake(handlers.map(({ topic }) => topic));
    await this.pump();
  }

  /** Starts the delivery of whatever is due and sets the timer for what is not yet. */
  private async pump(): Promise<void> {
    this.again = true;
    if (this.pumping || this.stopping.signal.aborted) return;
    this.pumping = true;
    try {
      // Who asks while this waits for the store asks in vain otherwise: nobody else would set the timer.
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
    for (const handler of this.handlers.values()) {
      if (this.isPaused(handler.service)) continue;
      const running = [...this.running.values()].filter(({ service }) => service === handler.service).length;
      if (running >= PARALLEL) continue;
      const due = await this.store.due(handler.topic, nowMs, PARALLEL - running, [...this.running.keys()]);
      for (const entry of due) this.start(entry, handler);
    }
  }

  /** What was due already is under way, or begins when something under way ends. */
  private async sleep(nowMs: number): Promise<void> {
    clearTimeout(this.timer);
    const pausesMs = [...this.paused.values()].map((untilMs) => untilMs - performance.now()).filter((ms) => ms > 0);
    const nextDueMs = (await this.store.nextDueMs(nowMs)) ?? Infinity;
    const waitMs = Math.min(nextDueMs - Date.now(), ...pausesMs);
    if (waitMs === Infinity || this.stopping.signal.aborted) return;
    this.timer = setTimeout(() => void this.pump(), Math.max(10, waitMs));
  }

  /** Due times outlive the process and so are the clock's: when it was set back, they are too far away. */
  private async followClock(): Promise<void> {
    const before = this.clockOffsetMs;
    this.clockOffsetMs = clockOffsetMs();
    if (this.clockOffsetMs < before - CLOCK_SLACK_MS) await this.store.wake([...this.handlers.keys()]);
  }

  /** Whether nothing is sent to a service, since its breaker is open. */
  isPaused(service: ServiceName | undefined): boolean {
    return service !== undefined && (this.paused.get(service) ?? 0) > performance.now();
  }

  private start(entry: OutboxEntry, handler: OutboxHandler): void {
    const ended = this.deliver(entry, handler)
      .catch((error: unknown) => this.storeFailed(error))
      .finally(() => {
        this.running.delete(entry.id);
        void this.pump();
      });
    this.running.set(entry.id, { service: handler.service, ended });
  }

  private async deliver(entry: OutboxEntry, handler: OutboxHandler): Promise<void> {
    try {
      await handler.deliver(entry, {
        requestId: entry.id,
        userId: entry.userId,
        idempotencyKey: entry.id,
        deadlineMs: performance.now() + DELIVERY_MS,
        signal: this.stopping.signal,
        onAttemptFailed: (reason) => this.waiting.get(entry.id)?.({ delivered: false, reason }),
      });
      // The receiver has it: whoever waits need not wait until that is written down here too.
      this.waiting.get(entry.id)?.({ delivered: true });
      await this.store.remove([entry.id]);
    } catch (error) {
      const reason = error instanceof DownstreamError ? { reason: error.reason } : {};
      if (error instanceof DownstreamError && error.reason === 'circuit_open') {
        const waitMs = error.retryAfterMs ?? this.config.outbox.retry_base_ms;
        this.paused.set(handler.service, performance.now() + waitMs);
      }
      this.waiting.get(entry.id)?.({ delivered: false, ...reason });
      if (!this.stopping.signal.aborted) await this.undelivered(entry, error);
    }
  }

  /** What became of an entry was not written down: it is delivered once more, after a wait. */
  private async storeFailed(error: unknown): Promise<void> {
    this.log.error({ err: error }, 'Outbox: the store failed; trying again');
    const wait = { signal: this.stopping.signal, ref: false };
    await sleep(this.config.outbox.retry_base_ms, undefined, wait).catch(() => undefined);
  }

  private async undelivered(entry: OutboxEntry, error: unknown): Promise<void> {
    const { retry_base_ms, retry_max_ms, max_attempts } = this.config.outbox;
    const message = error instanceof Error ? error.message : String(error);
    const attempts = entry.attempts + (isAbsence(error) ? 0 : 1);
    const fields = { topic: entry.topic, entry: entry.id, attempts };
    if (attempts >= max_attempts) {
      await this.store.bury(entry.id, message);
      this.log.error(
        { ...fields, err: error },
        `Outbox: ${entry.topic} was refused ${attempts} times and is set aside`,
      );
      return;
    }
    const backoffMs = Math.min(retry_max_ms, retry_base_ms * 2 ** Math.min(attempts, 20));
    const waitMs = error instanceof DownstreamError ? Math.max(backoffMs, error.retryAfterMs ?? 0) : backoffMs;
    await this.store.postpone(entry.id, Date.now() + waitMs, attempts, message);
    this.log.info(fields, `Outbox: ${entry.topic} waits for its next delivery: ${message}`);
  }
}

/** Changes when the clock is set. */
function clockOffsetMs(): number {
  return Date.now() - performance.now();
}
