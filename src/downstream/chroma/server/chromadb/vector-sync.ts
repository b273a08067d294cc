import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { type Generation, IndexStore } from '../index/index.store.js';
import { VectorStore } from './vector.store.js';

interface Queue {
  /** Whether ChromaDB was compared with SQLite since its last start. */
  compared: boolean;
  put: Set<number>;
  removed: Set<number>;
  running: Promise<void> | undefined;
  timer: NodeJS.Timeout | undefined;
}

const BATCH = 1000;
/** A request costs ChromaDB more than the vectors in it, so the vectors of several documents go in one. */
const GATHER_MS = 1000;
/** A search compares the vectors that ChromaDB lacks one by one, so there are few of them. */
const MAX_GATHERED = 500;
/** How long a search waits for the comparison, which takes longer only for very many passages. */
const COMPARE_MS = 500;

/**
 * Synchronises ChromaDB with SQLite. Changes that arrive during a write are joined into the next one. After a failure,
 * or a start of ChromaDB, the ids on both sides are compared, so that no state has to survive a kill.
 */
@Injectable()
export class VectorSync {
  private readonly queues = new Map<number, Queue>();

  constructor(
    private readonly store: IndexStore,
    private readonly vectors: VectorStore,
  ) {}

  /** Records that ChromaDB may lack changes that were sent. */
  markUnsynced(): void {
    for (const { timer } of this.queues.values()) clearTimeout(timer);
    this.queues.clear();
  }

  /** Records that ChromaDB does not have the collection yet, so that there is nothing to compare. */
  begin(generation: Generation): void {
    this.queueOf(generation).compared = true;
  }

  forget(generation: Generation): void {
    clearTimeout(this.queues.get(generation.id)?.timer);
    this.queues.delete(generation.id);
  }

  /** Resolves when ChromaDB has these changes and all before them. @throws Problem 503 `chromadb_unavailable` */
  async push(
    generation: Generation,
    change: { put?: readonly number[]; removed?: readonly number[] } = {},
  ): Promise<void> {
    const queue = this.add(generation, change);
    while (!queue.compared || isWaiting(queue) || queue.running !== undefined) await this.pushOnce(generation, queue);
  }

  private pushOnce(generation: Generation, queue: Queue): Promise<void> {
    queue.running ??= this.work(generation, queue).finally(() => (queue.running = undefined));
    return queue.running;
  }

  /**
   * {@link push} without waiting for ChromaDB, as long as it has taken the changes before these. A search must compare the
   * vectors of {@link waiting} itself.
   */
  async pushSoon(
    generation: Generation,
    change: { put: readonly number[]; removed: readonly number[] },
  ): Promise<void> {
    const queue = this.add(generation, change);
    if (!queue.compared) return this.push(generation);
    while (queue.put.size + queue.removed.size > MAX_GATHERED) await this.pushOnce(generation, queue);
    this.gather(generation, queue);
  }

  /** What arrives during a push is gathered for the next one: while writes go on, {@link push} would send each alone. */
  private gather(generation: Generation, queue: Queue): void {
    queue.timer ??= setTimeout(() => {
      queue.timer = undefined;
      this.pushOnce(generation, queue)
        .then(() => {
          if (isWaiting(queue)) this.gather(generation, queue);
        })
        // After a failure the next write, or the next search, compares both sides.
        .catch(() => undefined);
    }, GATHER_MS).unref();
  }

  /**
   * Compares both sides where they were not compared since the last start or failure, for {@link COMPARE_MS} at most: until
   * they are, ChromaDB may lack more than {@link waiting}.
   */
  async catchUp(generation: Generation): Promise<void> {
    if (this.queueOf(generation).compared) return;
    const pushed = this.push(generation).catch(() => undefined);
    const patience = new AbortController();
    const tooLong = sleep(COMPARE_MS, undefined, { signal: patience.signal }).catch(() => undefined);
    await Promise.race([pushed, tooLong]);
    patience.abort();
  }

  /** The passages of which ChromaDB may lack the vectors; at most {@link MAX_GATHERED}. */
  waiting({ id }: Generation): number[] {
    return [...(this.queues.get(id)?.put ?? [])].slice(0, MAX_GATHERED);
  }

  private add(generation: Generation, change: { put?: readonly number[]; removed?: readonly number[] }): Queue {
    const queue = this.queueOf(generation);
    for (const id of change.put ?? []) queue.put.add(id);
    for (const id of change.removed ?? []) {
      queue.put.delete(id);
      queue.removed.add(id);
    }
    return queue;
  }

  private async work(generation: Generation, queue: Queue): Promise<void> {
    const { collection } = generation;
    // Another generation has replaced this one meanwhile and has these changes.
    if (!this.store.isAsked(generation)) return this.end(queue);
    try {
      if (!queue.compared) await this.compare(generation, queue);
      const put = [...queue.put].slice(0, BATCH);
      const removed = [...queue.removed];
      await this.vectors.put(collection, this.store.vectors(generation, put));
      await this.vectors.remove(collection, removed);
      for (const id of put) queue.put.delete(id);
      for (const id of removed) queue.removed.delete(id);
    } catch (error) {
      queue.compared = false;
      if (this.store.isAsked(generation)) throw error;
    }
  }

  private end(queue: Queue): void {
    queue.compared = true;
    queue.put.clear();
    queue.removed.clear();
  }

  private async compare(generation: Generation, queue: Queue): Promise<void> {
    const there = await this.vectors.ids(generation.collection);
    const wanted = new Set(this.store.vectorIds(generation));
    for (const id of wanted) if (!there.has(id)) queue.put.add(id);
    for (const id of there) if (!wanted.has(id)) queue.removed.add(id);
    queue.compared = true;
  }

  private queueOf({ id }: Generation): Queue {
    let queue = this.queues.get(id);
    if (queue === undefined) {
      queue = { compared: false, put: new Set(), removed: new Set(), running: undefined, timer: undefined };
      this.queues.set(id, queue);
    }
    return queue;
  }
}

const isWaiting = ({ put, removed }: Queue) => put.size > 0 || removed.size > 0;
