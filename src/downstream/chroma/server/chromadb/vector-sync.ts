import { Injectable } from '@nestjs/common';
import { type Generation, IndexStore } from '../index/index.store.js';
import { VectorStore } from './vector.store.js';

interface Queue {
  /** Whether ChromaDB was compared with SQLite since its last start. */
  compared: boolean;
  put: Set<number>;
  removed: Set<number>;
  running: Promise<void> | undefined;
}

const BATCH = 1000;

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
    this.queues.clear();
  }

  /** Records that ChromaDB does not have the collection yet, so that there is nothing to compare. */
  begin(generation: Generation): void {
    this.queueOf(generation).compared = true;
  }

  forget(generation: Generation): void {
    this.queues.delete(generation.id);
  }

  /** Resolves when ChromaDB has these changes and all before them. @throws Problem 503 `chromadb_unavailable` */
  async push(
    generation: Generation,
    change: { put?: readonly number[]; removed?: readonly number[] } = {},
  ): Promise<void> {
    const queue = this.queueOf(generation);
    for (const id of change.put ?? []) queue.put.add(id);
    for (const id of change.removed ?? []) {
      queue.put.delete(id);
      queue.removed.add(id);
    }
    while (!queue.compared || queue.put.size > 0 || queue.removed.size > 0 || queue.running !== undefined) {
      queue.running ??= this.work(generation, queue).finally(() => (queue.running = undefined));
      await queue.running;
    }
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
      queue = { compared: false, put: new Set(), removed: new Set(), running: undefined };
      this.queues.set(id, queue);
    }
    return queue;
  }
}
