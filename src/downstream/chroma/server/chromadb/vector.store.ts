import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { ChromaClient, ChromaNotFoundError, ChromaServerError, type Collection } from 'chromadb';
import { join } from 'node:path';
import { PinoLogger } from 'nestjs-pino';
import { InjectConfig } from '../../../../config/config.module.js';
import type { Config } from '../../../../config/config.schema.js';
import { Problem } from '../../../../http/problem.js';
import { guarded, GuardError } from '../../../../resilience/policy/guarded.js';
import { ChromadbProcess } from './chromadb.process.js';

export interface Neighbour {
  id: number;
  /** Cosine similarity; 1 means the same direction. */
  similarity: number;
}

const BATCH = 1000;
/**
 * The limit of one request to ChromaDB. Shorter than the backend's own timeout for the chroma server, so that the error
 * names the cause.
 */
const TIMEOUT_MS = 10_000;
const PAGE = 10_000;
/** For many small passages: HNSW's usual values, with a search width that suffices for pages of 100. */
const CONFIGURATION = { hnsw: { space: 'cosine', ef_construction: 100, max_neighbors: 16, ef_search: 200 } } as const;

/**
 * The vectors in ChromaDB, with one collection for each generation of a project. Their ids are those of the passages.
 */
@Injectable()
export class VectorStore implements OnApplicationBootstrap, OnApplicationShutdown {
  /** Called whenever ChromaDB has started, because it may lack changes that were sent before. */
  onUp: () => void = () => undefined;
  private readonly process: ChromadbProcess | undefined;
  private client:
    | { url: string; headers: Record<string, string>; chroma: ChromaClient; collections: Map<string, Collection> }
    | undefined;

  constructor(
    @InjectConfig() private readonly config: Config,
    private readonly log: PinoLogger,
  ) {
    if (config.chroma.chromadb_url === null) {
      this.process = new ChromadbProcess(join(config.data_dir, 'chroma', 'chromadb'), log, () => this.onUp());
    }
  }

  async onApplicationBootstrap(): Promise<void> {
    if (this.process === undefined) this.onUp();
    else await this.process.start();
  }

  onApplicationShutdown(): void {
    this.process?.stop();
  }

  /** @throws Problem 503 `chromadb_unavailable`, immediately where ChromaDB is known to be unavailable */
  check(): void {
    void this.connected();
  }

  async put(collection: string, vectors: readonly { id: number; vector: Float32Array }[]): Promise<void> {
    for (let at = 0; at < vectors.length; at += BATCH) {
      const batch = vectors.slice(at, at + BATCH);
      await this.within(collection, CONFIGURATION, (held) => this.upsert(held, batch));
    }
  }

  async remove(collection: string, ids: readonly number[]): Promise<void> {
    for (let at = 0; at < ids.length; at += BATCH) {
      const batch = ids.slice(at, at + BATCH).map(String);
      await this.within(collection, undefined, (held) => held.delete({ ids: batch }));
    }
  }

  /** Nearest first. */
  async nearest(collection: string, vector: Float32Array, limit: number): Promise<Neighbour[]> {
    const answer = await this.within(collection, undefined, (held) =>
      held.query({ queryEmbeddings: [Array.from(vector)], nResults: limit, include: ['distances'] }),
    );
    const distances = answer?.distances[0] ?? [];
    return (answer?.ids[0] ?? []).map((id, i) => ({ id: Number(id), similarity: 1 - (distances[i] ?? 1) }));
  }

  async count(collection: string): Promise<number> {
    return (await this.within(collection, undefined, (held) => held.count())) ?? 0;
  }

  async ids(collection: string): Promise<Set<number>> {
    const found = new Set<number>();
    for (let offset = 0, full = true; full; offset += PAGE) {
      const page = await this.within(collection, undefined, (held) => held.get({ include: [], limit: PAGE, offset }));
      for (const id of page?.ids ?? []) found.add(Number(id));
      full = page?.ids.length === PAGE;
    }
    return found;
  }

  /** A collection that does not exist counts as dropped. */
  async drop(collection: string): Promise<void> {
    const { chroma, collections } = this.connected();
    collections.delete(collection);
    await this.asking(() => chroma.deleteCollection({ name: collection })).catch((error: unknown) => {
      if (!(error instanceof ChromaNotFoundError)) throw error;
    });
  }

  /**
   * Packs vectors like the client, which takes as long for a vector as ChromaDB takes to store it; an old server gets
   * plain numbers.
   */
  private async upsert(held: Collection, vectors: readonly { id: number; vector: Float32Array }[]): Promise<void> {
    const ids = vectors.map(({ id }) => String(id));
    const { url, headers, chroma } = this.connected();
    if (!(await chroma.supportsBase64Encoding())) {
      await held.upsert({ ids, embeddings: vectors.map(({ vector }) => Array.from(vector)) });
      return;
    }
    const { id, tenant, database } = held;
    const path = `/api/v2/tenants/${tenant}/databases/${database}/collections/${id}/upsert`;
    const response = await fetch(new URL(path, url), {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      signal: AbortSignal.timeout(TIMEOUT_MS),
      body: JSON.stringify({
        ids,
        embeddings: vectors.map(({ vector }) =>
          Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength).toString('base64'),
        ),
      }),
    });
    const answer = await response.text();
    if (response.status === 404) throw new ChromaNotFoundError(answer);
    if (response.status >= 500) throw new ChromaServerError(answer);
    if (!response.ok) throw new Error(`ChromaDB answered ${response.status} to an upsert: ${answer}`);
  }

  /** Runs work on a collection, which is created with `create`; undefined where it does not exist. */
  private async within<T>(
    name: string,
    create: typeof CONFIGURATION | undefined,
    work: (collection: Collection) => Promise<T>,
  ): Promise<T | undefined> {
    const { chroma, collections } = this.connected();
    return this.asking(async () => {
      try {
        let collection = collections.get(name);
        if (collection === undefined) {
          const named = { name, embeddingFunction: null };
          collection = await (create === undefined
            ? chroma.getCollection(named as never)
            : chroma.getOrCreateCollection({ ...named, configuration: create }));
          collections.set(name, collection);
        }
        return await work(collection);
      } catch (error) {
        collections.delete(name);
        if (error instanceof ChromaNotFoundError && create === undefined) return undefined;
        throw error;
      }
    });
  }

  private async asking<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await guarded(() => work(), { name: 'ChromaDB', timeoutMs: TIMEOUT_MS });
    } catch (error) {
      if (error instanceof GuardError || isOutage(error as Error)) {
        this.log.warn(`ChromaDB gave no answer: ${(error as Error).message}`);
        throw unavailable();
      }
      throw error;
    }
  }

  private connected() {
    const url = this.process === undefined ? this.config.chroma.chromadb_url : this.process.url;
    if (url === null || url === undefined) throw unavailable();
    if (this.client?.url !== url) {
      const { hostname, port, protocol } = new URL(url);
      const ssl = protocol === 'https:';
      const token = this.config.secrets.chromadb_token;
      const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
      const chroma = new ChromaClient({ host: hostname, port: Number(port) || (ssl ? 443 : 80), ssl, headers });
      this.client = { url, headers, chroma, collections: new Map() };
    }
    return this.client;
  }
}

/**
 * A refused connection, a connection that was closed during an answer, or a fault of ChromaDB such as "Nothing found on
 * disk" for a query while its collection is being created.
 */
function isOutage(error: Error): boolean {
  return error.name === 'ChromaConnectionError' || error.name === 'ChromaServerError' || error instanceof TypeError;
}

function unavailable(): Problem {
  return new Problem({
    status: 503,
    code: 'chromadb_unavailable',
    detail: 'ChromaDB gives no answer at the moment; nothing was lost, try again.',
    retryAfter: 1,
  });
}
