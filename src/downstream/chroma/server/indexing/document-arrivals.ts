import { setImmediate as nextTurn } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import type { PageStart } from '../../../../contract/page.contract.js';
import { type AnalysedDocument, type AnalysedPassage, analyseDocument } from '../../../../text/analysed-document.js';
import type { ProjectKey } from '../../../../text/lexical-index.js';
import type { Embeddable } from '../embedding/embedder.js';
import { Embedders } from '../embedding/embedders.js';
import { GenerationBuilder } from './generation.builder.js';
import { type Generation, IndexStore, type PreparedDocument } from '../index/index.store.js';
import { ProjectLock } from '../index/project-lock.js';

export interface DocumentState {
  path: string;
  version: string;
  title: string;
  mediaType: string;
  text: string;
  pages?: readonly PageStart[] | undefined;
  /** Those that a person gave to it. */
  tags: readonly string[];
  /** Where the document was before, and its version there. */
  movedFrom?: { path: string; version: string } | undefined;
}

/** The changed passages, and the generation that has their vectors. */
export interface Written {
  generation: Generation;
  put: number[];
  removed: number[];
}

interface Arrival {
  document: DocumentState;
  outcome: Written | { error: unknown } | undefined;
}

/** How much is written together: little enough that other projects do not wait long. */
const MAX_TOGETHER = 50;
const MAX_CHARS_TOGETHER = 100_000;
/** The passages that are embedded in one turn of the event loop: about 5 ms. */
const EMBEDDED_TOGETHER = 200;

/**
 * Documents that are waiting to be written. Those of a project that arrive during a write share the next transaction:
 * the cost of a commit is the disk's answer, and is the same for one document and for many.
 */
@Injectable()
export class DocumentArrivals {
  private readonly waiting = new Map<string, Arrival[]>();

  constructor(
    private readonly store: IndexStore,
    private readonly embedders: Embedders,
    private readonly builder: GenerationBuilder,
    private readonly lock: ProjectLock,
  ) {}

  /** Resolves when the document is stored. */
  async add(key: ProjectKey, document: DocumentState): Promise<Written> {
    const name = `${key.userId}/${key.projectId}`;
    const arrival: Arrival = { document, outcome: undefined };
    const queue = this.waiting.get(name) ?? [];
    this.waiting.set(name, queue);
    queue.push(arrival);
    await this.lock.run(key, async () => {
      // The lock keeps the order: a document that was not written with the earlier ones is the first in the queue.
      if (arrival.outcome === undefined) {
        // Documents that arrived meanwhile join the queue.
        await nextTurn();
        await this.write(key, together(queue));
      }
      if (queue.length === 0) this.waiting.delete(name);
    });
    const outcome = arrival.outcome;
    if (outcome === undefined) throw new Error(`${document.path} was passed over`);
    if ('error' in outcome) throw outcome.error;
    return outcome;
  }

  /**
   * Writes an indexed document with its current analysis. Must be called with the project's lock; ChromaDB is compared
   * afterwards.
   */
  async replace(key: ProjectKey, analysed: AnalysedDocument): Promise<void> {
    const version = this.store.version(key, analysed.path)?.version;
    if (version === undefined) return;
    const generation = this.builder.currentOf(key);
    this.store.put(key, generation, [{ version, analysed, vectors: await this.vectorsOf(key, generation, analysed) }]);
  }

  /**
   * Undefined for the vectors of a model, because it is slow and may be unavailable, while the words must be searchable
   * at once.
   */
  private async vectorsOf(
    key: ProjectKey,
    generation: Generation,
    analysed: AnalysedDocument,
  ): Promise<Float32Array[] | undefined> {
    if (this.embedders.isPretrained(generation)) return undefined;
    const fresh = this.store.passages.fresh(key, analysed);
    const vectors: Float32Array[] = [];
    for (let at = 0; at < fresh.length; at += EMBEDDED_TOGETHER) {
      if (at > 0) await nextTurn();
      const some = fresh.slice(at, at + EMBEDDED_TOGETHER).map(embeddable);
      vectors.push(...(await this.embedders.embed(generation, some)));
    }
    return vectors;
  }

  private async write(key: ProjectKey, arrivals: readonly Arrival[]): Promise<void> {
    const prepared: { arrival: Arrival; document: PreparedDocument }[] = [];
    try {
      const generation = this.builder.currentOf(key);
      for (const arrival of arrivals) {
        const document = await this.prepare(key, generation, arrival);
        if (document !== undefined) prepared.push({ arrival, document });
      }
      const changes = this.store.put(
        key,
        generation,
        prepared.map(({ document }) => document),
      );
      for (const [i, { arrival }] of prepared.entries()) {
        arrival.outcome = { generation, ...(changes[i] as { put: number[]; removed: number[] }) };
      }
    } catch (error) {
      for (const arrival of arrivals) arrival.outcome ??= { error };
    }
  }

  /** Undefined: there is nothing to write, and the promise of the document is settled. */
  private async prepare(
    key: ProjectKey,
    generation: Generation,
    arrival: Arrival,
  ): Promise<PreparedDocument | undefined> {
    const { path, version, tags, movedFrom } = arrival.document;
    const storedMs = movedFrom && this.store.rename(key, movedFrom, path);
    if (this.store.version(key, path)?.version === version) {
      this.store.tag(key, path, tags);
      arrival.outcome = { generation, put: [], removed: [] };
      return undefined;
    }
    try {
      const analysed = await analyseDocument(arrival.document);
      return { version, analysed, vectors: await this.vectorsOf(key, generation, analysed), tags, storedMs };
    } catch (error) {
      arrival.outcome = { error };
      return undefined;
    }
  }
}

/**
 * Takes from the queue what can be written together: one document, or several small ones, none of them twice, and no
 * document that was moved from the path of an earlier one, because a rename changes which passages of that one are new.
 */
function together(queue: Arrival[]): Arrival[] {
  const paths = new Set<string>();
  let chars = 0;
  for (const { document } of queue) {
    chars += document.text.length;
    const { path, movedFrom } = document;
    const isNamed = paths.has(path) || (movedFrom !== undefined && paths.has(movedFrom.path));
    const full = paths.size >= MAX_TOGETHER || chars > MAX_CHARS_TOGETHER || isNamed;
    if (full && paths.size > 0) break;
    paths.add(path);
  }
  return queue.splice(0, paths.size);
}

function embeddable({ title, text, titleTerms, terms }: AnalysedPassage): Embeddable {
  return { title, text, terms: [...titleTerms, ...terms] };
}
