import { Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { join } from 'node:path';
import { setImmediate as nextTurn, setTimeout as wait } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { ProjectKey } from '../../../../text/lexical-index.js';
import { EmbeddingError } from '../embedding/embedder.js';
import { Embedders, LSA, PROJECTION } from '../embedding/embedders.js';
import { PretrainedModel } from '../embedding/pretrained-model.js';
import { type Embedded, type Generation, IndexStore } from '../index/index.store.js';
import type { TrainingMessage, TrainingTask } from '../embedding/lsa.worker.js';
import { ProjectLock } from '../index/project-lock.js';
import { VectorStore } from '../chromadb/vector.store.js';
import { VectorSync } from '../chromadb/vector-sync.js';

/** Fewer passages are not enough for training. */
const MIN_TRAINING_PASSAGES = 200;
/** After a growth by this factor the project's embedder is trained again. */
const MIN_GROWTH = 1.2;
/** How long a project must be without writes before training: training takes a core, which writers need more. */
const REST_MS = 2000;
/** The longest delay of training. */
const MAX_DELAY_MS = 60_000;
const BATCH = 500;
/** A model takes seconds for this many passages; finished batches are kept. */
const MODEL_BATCH = 32;
/** The intervals at which an unavailable model is tried again; then the next project has its turn. */
const PAUSES_MS = [500, 2000];
const RETRY_MS = 5000;

/**
 * Keeps the embedder of each project up to date: when a project has grown, the embedder is trained again in a worker,
 * all passages are embedded into a new generation, and this replaces the old one when it is complete. An unfinished
 * generation is deleted after a restart and started again.
 */
@Injectable()
export class GenerationBuilder implements BeforeApplicationShutdown {
  private readonly due = new Map<string, { sinceMs: number; timer: NodeJS.Timeout }>();
  /** The queued projects by user, in the order of their turns. */
  private readonly waiting = new Map<string, (() => Promise<void>)[]>();
  private working: Promise<void> | undefined;
  private readonly queued = new Set<string>();
  /** For each generation, the id up to which every passage has been embedded. */
  private readonly filled = new Map<number, number>();
  private worker: Worker | undefined;
  private readonly stopping = new AbortController();

  constructor(
    private readonly store: IndexStore,
    private readonly embedders: Embedders,
    private readonly pretrained: PretrainedModel,
    private readonly vectors: VectorStore,
    private readonly sync: VectorSync,
    private readonly lock: ProjectLock,
    private readonly log: PinoLogger,
  ) {
    pretrained.onLoaded = () => this.resume();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopping.abort();
    for (const { timer } of this.due.values()) clearTimeout(timer);
    await this.worker?.terminate();
    await this.working;
  }

  /** The generation for new passages of a project; it is created for a new project. */
  currentOf(key: ProjectKey): Generation {
    return (
      this.store.current(key) ?? this.store.createGeneration(key, this.pretrained.current ?? PROJECTION, 0, 'current')
    );
  }

  /** After a start: deletes unfinished generations, and checks every project. */
  resume(): void {
    for (const generation of this.store.inState('building')) {
      if (!this.queued.has(nameOf(generation))) this.store.retire(generation);
    }
    for (const generation of this.store.inState('current')) this.consider(generation);
    this.clearAway();
  }

  /** Deletes retired generations, in ChromaDB and here. */
  clearAway(): void {
    this.enqueue('', () => this.clearRetired());
  }

  /** Checks whether a project must be embedded again. */
  consider(key: ProjectKey): void {
    const current = this.store.current(key);
    if (current === undefined || this.stopped) return;
    const name = nameOf(key);
    const before = this.due.get(name);
    clearTimeout(before?.timer);
    this.due.delete(name);
    if (!this.isDue(current)) return this.fill(current);
    const sinceMs = before?.sinceMs ?? performance.now();
    const delayMs = Math.max(0, Math.min(REST_MS, sinceMs + MAX_DELAY_MS - performance.now()));
    this.due.set(name, { sinceMs, timer: setTimeout(() => this.begin(key), delayMs) });
  }

  /** Whether the embedder of a project is out of date. */
  isDue(generation: Generation): boolean {
    return this.growth(generation) >= MIN_GROWTH;
  }

  /** How many passages have no vector yet. */
  unembedded(generation: Generation | undefined): number {
    if (generation === undefined || !this.embedders.isPretrained(generation)) return 0;
    return Math.max(0, this.store.passages.count(generation) - this.store.countVectors(generation));
  }

  /** Embeds the passages that were stored without vectors. Until then they are found by their words only. */
  private fill(generation: Generation): void {
    const name = nameOf(generation);
    if (!this.embedders.isPretrained(generation) || this.queued.has(name)) return;
    if (!this.hasMissing(generation)) return;
    this.queued.add(name);
    this.enqueue(generation.userId, async () => {
      try {
        await this.embedMissing(generation, this.filled.get(generation.id) ?? 0);
      } catch (error) {
        if (this.stopped) return;
        this.log.warn(`Passages were not embedded: ${(error as Error).message}`);
        const again = setTimeout(() => this.consider(generation), RETRY_MS);
        this.due.set(name, { sinceMs: performance.now(), timer: again });
        return;
      } finally {
        this.queued.delete(name);
      }
      // For passages that were stored meanwhile.
      this.consider(generation);
    });
  }

  private hasMissing(generation: Generation): boolean {
    return this.store.missing(generation, this.filled.get(generation.id) ?? 0, 1).last !== undefined;
  }

  private get stopped(): boolean {
    return this.stopping.signal.aborted;
  }

  private begin(key: ProjectKey): void {
    const name = nameOf(key);
    this.due.delete(name);
    if (this.queued.has(name)) return;
    this.queued.add(name);
    this.enqueue(key.userId, async () => {
      try {
        const current = this.store.current(key);
        if (current !== undefined && this.isDue(current)) await this.build(key);
      } finally {
        this.queued.delete(name);
      }
      this.consider(key);
    });
  }

  private growth({ embedder, trainedOn, userId, projectId }: Generation): number {
    if (this.pretrained.made(embedder)) return 1;
    if (this.pretrained.current !== undefined) return Infinity;
    if (embedder !== LSA && embedder !== PROJECTION) return Infinity;
    const passages = this.store.passages.count({ userId, projectId });
    if (passages < MIN_TRAINING_PASSAGES) return 1;
    return embedder === LSA ? passages / Math.max(1, trainedOn) : Infinity;
  }

  private async build(key: ProjectKey): Promise<void> {
    const startedAt = performance.now();
    const passages = this.store.passages.count(key);
    const trains = this.pretrained.current === undefined && passages >= MIN_TRAINING_PASSAGES;
    const embedder = this.pretrained.current ?? (trains ? LSA : PROJECTION);
    const generation = this.store.createGeneration(key, embedder, trains ? passages : 0, 'building');
    try {
      this.sync.begin(generation);
      if (trains) await this.train(generation);
      await this.pushAll(generation);
      const last = await this.embedMissing(generation, 0);
      await this.lock.run(key, async () => {
        await this.embedMissing(generation, last);
        if (!this.store.isAsked(generation)) throw new Error('the project was dropped');
        this.store.promote(generation);
      });
      const tookMs = Math.round(performance.now() - startedAt);
      this.log.info({ passages, embedder }, `A project was embedded anew in ${tookMs} ms`);
    } catch (error) {
      this.store.retire(generation);
      if (!this.stopped) this.log.warn(`A project was not embedded anew: ${(error as Error).message}`);
    }
    await this.clearRetired();
  }

  private train(generation: Generation): Promise<void> {
    const { userId, projectId } = generation;
    const task: TrainingTask = { file: this.store.file, userId, projectId };
    const worker = new Worker(join(import.meta.dirname, '../embedding/lsa.worker.js'), { workerData: task });
    this.worker = worker;
    return new Promise((resolve, reject) => {
      worker.on('message', (message: TrainingMessage) => {
        try {
          this.keep(generation, message);
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
          void worker.terminate();
        }
      });
      worker.once('error', reject);
      worker.once('exit', (code) => (code === 0 ? resolve() : reject(new Error('the training was ended'))));
    });
  }

  private keep(generation: Generation, message: TrainingMessage): void {
    if (message.kind === 'model') return this.store.saveModel(generation, message.model);
    const { ids, vectors, dimensions } = message;
    const embedded = ids.map((id, i) => ({ id, vector: vectors.subarray(i * dimensions, (i + 1) * dimensions) }));
    this.store.putVectors(generation, embedded);
  }

  private async pushAll(generation: Generation): Promise<void> {
    const ids = this.store.vectorIds(generation);
    for (let at = 0; at < ids.length; at += BATCH) {
      this.throwIfStopped();
      await this.sync.push(generation, { put: ids.slice(at, at + BATCH) });
    }
  }

  private throwIfStopped(): void {
    if (this.stopped) throw new Error('the server is being stopped');
  }

  /** Embeds the passages after an id; returns the last id. Ids only grow, so no passage is read twice. */
  private async embedMissing(generation: Generation, after: number): Promise<number> {
    const batch = this.embedders.isPretrained(generation) ? MODEL_BATCH : BATCH;
    for (let last = after; ;) {
      this.throwIfStopped();
      const next = this.store.missing(generation, last, batch);
      if (next.last === undefined) return last;
      if (next.ids.length > 0) {
        this.store.putVectors(generation, await this.embedded(generation, next.ids));
        await this.sync.push(generation, { put: next.ids });
      }
      last = next.last;
      this.filled.set(generation.id, last);
      await nextTurn();
    }
  }

  /** Waits for an unavailable model. @throws EmbeddingError where it stays unavailable */
  private async embedded(generation: Generation, ids: readonly number[]): Promise<Embedded[]> {
    for (const pauseMs of PAUSES_MS) {
      try {
        return await this.embedders.embedPassages(generation, generation, ids);
      } catch (error) {
        if (!(error instanceof EmbeddingError)) throw error;
        await wait(pauseMs, undefined, { signal: this.stopping.signal });
      }
    }
    return this.embedders.embedPassages(generation, generation, ids);
  }

  private async clearRetired(): Promise<void> {
    for (const generation of this.store.inState('retired')) {
      if (this.stopped) return;
      try {
        await this.vectors.drop(generation.collection);
      } catch {
        return; // ChromaDB is away: it is done when it has come up.
      }
      this.sync.forget(generation);
      this.filled.delete(generation.id);
      while (!this.stopped && !this.store.forgetSome(generation, BATCH)) await nextTurn();
    }
  }

  /** One project after the other, because training takes a core, and in turns of the users. */
  private enqueue(userId: string, work: () => Promise<void>): void {
    this.waiting.set(userId, [...(this.waiting.get(userId) ?? []), work]);
    this.working ??= this.workOff().finally(() => (this.working = undefined));
  }

  private async workOff(): Promise<void> {
    for (let work = this.next(); work !== undefined && !this.stopped; work = this.next()) {
      await work().catch((error: unknown) => this.log.error({ err: error }, 'Work on the index failed'));
    }
  }

  /** The next project of the user whose turn it is; the user then moves to the end of the order. */
  private next(): (() => Promise<void>) | undefined {
    const [first] = this.waiting;
    if (first === undefined) return undefined;
    const [userId, [work, ...rest]] = first;
    this.waiting.delete(userId);
    if (rest.length > 0) this.waiting.set(userId, rest);
    return work;
  }
}

function nameOf({ userId, projectId }: ProjectKey): string {
  return `${userId}/${projectId}`;
}
