import { setImmediate as nextTurn } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { Semaphore } from '../../../../http/semaphore.js';
import type { ProjectKey } from '../../../../text/lexical-index.js';
import { reanalyse } from '../../../../text/reanalysis.js';
import { DocumentArrivals, type DocumentState, type Written } from './document-arrivals.js';
import { LSA, PROJECTION } from '../embedding/embedders.js';
import { PretrainedModel } from '../embedding/pretrained-model.js';
import { GenerationBuilder } from './generation.builder.js';
import { IndexStore } from '../index/index.store.js';
import { ProjectLock } from '../index/project-lock.js';
import { VectorStore } from '../chromadb/vector.store.js';
import { VectorSync } from '../chromadb/vector-sync.js';

const DESCRIPTIONS: Record<string, string> = {
  [LSA]: 'latent semantic analysis, trained on the project',
  [PROJECTION]: 'hashed random projection, until the project is large enough to learn from',
};

/** The size above which the analysis blocks noticeably; smaller texts overtake waiting large ones. */
const LARGE_CHARS = 100_000;
/** One per user at a time. A text that waits too long is refused, and the caller's outbox sends it again. */
const LARGE = { concurrent: 2, perUser: 1, waiting: 60, waitMs: 5000 };

/** How many documents are removed in one transaction: few enough that other requests do not wait long. */
const REMOVED_TOGETHER = 25;

/** Writes to the index. An acknowledged write survives any later kill, and every later search finds it. */
@Injectable()
export class IndexerService {
  private reanalysing: Promise<void> | undefined;
  private readonly large = new Semaphore(LARGE, 'large documents to be indexed');

  constructor(
    private readonly store: IndexStore,
    private readonly arrivals: DocumentArrivals,
    private readonly pretrained: PretrainedModel,
    private readonly builder: GenerationBuilder,
    private readonly vectors: VectorStore,
    private readonly sync: VectorSync,
    private readonly lock: ProjectLock,
    private readonly log: PinoLogger,
  ) {
    vectors.onUp = () => {
      sync.markUnsynced();
      void this.upToDate().then(() => builder.resume());
    };
  }

  /**
   * Resolves when no results of an earlier version of the analysis are left; embedders are trained on current terms
   * only.
   */
  private upToDate(): Promise<void> {
    this.reanalysing ??= reanalyse(this.store.passages, (key, document, isCurrent) =>
      this.lock.run(key, () => (isCurrent() ? this.arrivals.replace(key, document) : Promise.resolve())),
    ).then(
      (documents) => {
        if (documents > 0)
          this.log.info({ documents }, 'Documents of an earlier version of the analysis were analysed anew');
      },
      (error: unknown) =>
        this.log.error({ err: error }, 'Documents of an earlier version of the analysis stay as they are'),
    );
    return this.reanalysing;
  }

  async upsert(key: ProjectKey, document: DocumentState): Promise<{ passages: number; version: string }> {
    const [indexed] = await this.upsertAll(key, [document]);
    return indexed as { passages: number; version: string };
  }

  /** Documents that arrive together are written together; where one of them fails, some of the others may be indexed. */
  async upsertAll(key: ProjectKey, documents: readonly DocumentState[]) {
    this.vectors.check();
    const outcomes = await Promise.allSettled(documents.map((document) => this.write(key, document)));
    const written = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
    // Outside of the lock, so that the next documents are prepared while ChromaDB stores these.
    await this.forgetInBuilding(
      key,
      written.flatMap(({ removed }) => removed),
    );
    for (const { generation, ...change } of together(written)) await this.sync.pushSoon(generation, change);
    this.builder.consider(key);
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
    return documents.map(({ path, version }) => ({ passages: this.store.version(key, path)?.passages ?? 0, version }));
  }

  private write(key: ProjectKey, document: DocumentState): Promise<Written> {
    const work = () => this.arrivals.add(key, document);
    return document.text.length > LARGE_CHARS ? this.large.pass(key.userId, work) : work();
  }

  /** @returns how many of the documents were in the index */
  async remove(key: ProjectKey, paths: readonly string[]): Promise<number> {
    const gone: number[][] = [];
    for (let at = 0; at < paths.length; at += REMOVED_TOGETHER) {
      const some = paths.slice(at, at + REMOVED_TOGETHER);
      gone.push(...(await this.lock.run(key, () => Promise.resolve(this.store.remove(key, some)))));
      // Other requests are answered in between.
      await nextTurn();
    }
    const removed = gone.flat();
    const generation = this.store.current(key);
    await this.forgetInBuilding(key, removed);
    if (generation !== undefined) await this.sync.push(generation, { removed });
    return gone.length;
  }

  async dropProject(key: ProjectKey): Promise<boolean> {
    const dropped = await this.lock.run(key, () => Promise.resolve(this.store.dropProject(key)));
    this.builder.clearAway();
    return dropped;
  }

  describe(key: ProjectKey): { documents: number; passages: number; embedder: string; stale_passages: number } {
    const passages = this.store.passages.count(key);
    const building = this.store.building(key);
    const current = this.store.current(key);
    const isDue = current !== undefined && this.builder.isDue(current);
    const embedder = current?.embedder ?? this.pretrained.current ?? PROJECTION;
    return {
      documents: this.store.countDocuments(key),
      passages,
      embedder: DESCRIPTIONS[embedder] ?? embedder,
      stale_passages: isDue || building !== undefined ? passages : this.builder.unembedded(current),
    };
  }

  /** A running training reads new passages by itself, but would keep deleted ones. */
  private async forgetInBuilding(key: ProjectKey, removed: readonly number[]): Promise<void> {
    const building = this.store.building(key);
    if (building !== undefined && removed.length > 0) await this.sync.push(building, { removed });
  }
}

/** The changes of each generation: another one may become current between two documents. */
function together(changes: readonly Written[]): Written[] {
  const byGeneration = new Map<number, Written>();
  for (const { generation, put, removed } of changes) {
    const before = byGeneration.get(generation.id);
    if (before === undefined) byGeneration.set(generation.id, { generation, put: [...put], removed: [...removed] });
    else {
      before.put.push(...put);
      before.removed.push(...removed);
    }
  }
  return [...byGeneration.values()];
}
