import { Injectable } from '@nestjs/common';
import { InjectConfig } from '../../config/config.module.js';
import type { Config } from '../../config/config.schema.js';
import { ChromaClient } from '../../downstream/chroma/chroma.client.js';
import { FilesystemClient } from '../../downstream/filesystem/filesystem.client.js';
import type { Correction, Passage } from '../../contract/passage.contract.js';
import type { Scope } from '../../contract/scope.contract.js';
import type { DownstreamReason } from '../../contract/downstream-reason.js';
import { DownstreamError } from '../../resilience/policy/downstream-error.js';
import { IndexCopies } from '../copies/copies.module.js';
import { DocumentSync } from '../documents/document-sync.service.js';
import type { UserCall } from '../call/public-call.js';
import { waitUntil } from '../call/waiting.js';
import { IndexRepair } from '../documents/repair/index-repair.service.js';
import { ResultCache } from './result-cache.service.js';

export type Source = 'hybrid' | 'vector' | 'fulltext' | 'cache' | 'none';

export interface RetrievalQuery {
  projectId: string;
  query: string;
  limit: number;
  offset: number;
  /** Which index to use; `fulltext` does not call Chroma. */
  mode: 'hybrid' | 'vector' | 'fulltext';
  /** The documents to search; undefined: all. */
  scope?: Scope | undefined;
  /** Whether each passage carries the reasons why it was found. */
  explain?: boolean | undefined;
  /** The time budget of the whole retrieval. */
  budgetMs: number;
}

export interface Retrieved {
  results: Passage[];
  total: number;
  source: Source;
  /** Why results may be empty. */
  outcome: 'found' | 'no_match' | 'empty_project' | 'unavailable';
  /** Absent where no word was corrected. */
  corrections?: Correction[] | undefined;
}

/** The query for either index. */
type TextQuery = Omit<RetrievalQuery, 'mode' | 'budgetMs'>;

/** No index could be reached. */
export const UNAVAILABLE = { results: [], total: 0, source: 'none', outcome: 'unavailable' } satisfies Retrieved;

/**
 * Retrieves passages from Chroma, else from full-text search, else the last good ones from the cache, within one time
 * budget.
 */
@Injectable()
export class Retrieval {
  constructor(
    @InjectConfig() private readonly config: Config,
    private readonly chroma: ChromaClient,
    private readonly filesystem: FilesystemClient,
    private readonly cache: ResultCache,
    private readonly sync: DocumentSync,
    private readonly repair: IndexRepair,
    private readonly indexes: IndexCopies,
  ) {}

  /**
   * Never fails because of a service: failures that were worked around are added to the call's degradation.
   * @param checking resolves with the error where it is not known whether the project belongs to the user
   */
  async retrieve(
    query: RetrievalQuery,
    call: UserCall,
    checking: Promise<DownstreamError | undefined>,
  ): Promise<Retrieved> {
    const found = await this.passages(query, call);
    if (found.outcome !== 'empty_project') return found;
    // An unknown project also returns no passages.
    const unsure = await checking;
    if (unsure === undefined) return found;
    call.degradation.add('filesystem', unsure, 'none');
    return UNAVAILABLE;
  }

  private async passages(query: RetrievalQuery, call: UserCall): Promise<Retrieved> {
    const { degradation } = call;
    const last = this.cache.open(call.userId, query);
    const waitsUntilMs = performance.now() + query.budgetMs;
    const fulltext = new Deferred(() => this.fulltext(query, call, waitsUntilMs));
    if (query.mode !== 'fulltext') {
      const timer = setTimeout(() => fulltext.start(), this.config.search.fulltext_after_ms);
      try {
        const found = await this.hybrid(query, { ...call, onAttemptFailed: () => fulltext.start() }, waitsUntilMs);
        last.keep(found);
        return found;
      } catch (error) {
        degradation.add('chroma', error, 'fulltext');
      } finally {
        clearTimeout(timer);
      }
    }
    try {
      const text = await fulltext.result();
      const found = completed(text, call);
      if (text.notIndexed === 0) last.keep(found);
      return found;
    } catch (error) {
      degradation.add('filesystem', error, 'cache');
    }
    const cached = await last.last();
    if (cached !== undefined) return { ...cached, source: 'cache' };
    degradation.fellThrough();
    return UNAVAILABLE;
  }

  private async hybrid(
    { mode, budgetMs: _, ...asked }: RetrievalQuery,
    call: UserCall,
    waitsUntilMs: number,
  ): Promise<Retrieved> {
    const { projectId } = asked;
    const body = {
      project_id: projectId,
      ...bodyOf(asked),
      mode: mode === 'vector' ? ('vector' as const) : ('hybrid' as const),
    };
    const reading = await this.indexes.reading(call.userId, projectId);
    const found = await waitUntil('chroma', reading.of(call), waitsUntilMs, (own) => this.chroma.query({ body }, own));
    const { endpoint } = reading;
    if (found.not_embedded !== undefined) call.degradation.add('chroma', notEmbedded(found.not_embedded), 'fulltext');
    const stale = await this.sync.staleDocuments(call.userId, projectId, { endpoint });
    if (stale.size > 0) {
      if (await this.repair.isRebuilding(call.userId, projectId, endpoint)) {
        call.degradation.add('chroma', lostIndex(), 'fulltext');
      }
      return this.caughtUp(asked, found, stale, call, waitsUntilMs);
    }
    if (found.passages === 0) {
      const empty: Retrieved = { results: [], total: 0, source: 'none', outcome: 'empty_project' };
      const searched = await this.fulltext(asked, call, waitsUntilMs).catch(() => ({ found: empty, notIndexed: 0 }));
      const text = completed(searched, call);
      if (text.outcome === 'empty_project') return empty;
      // The index has lost documents that the files have.
      call.degradation.add('chroma', lostIndex(), 'fulltext');
      void this.repair.repair({ userId: call.userId, projectId }, endpoint).catch(() => undefined);
      return text;
    }
    const outcome = found.total === 0 ? 'no_match' : 'found';
    return {
      results: found.results,
      total: found.total,
      source: found.source,
      outcome,
      ...correctionsIn(found),
    };
  }

  /** For documents whose index is older than their text, the text decides: a deleted passage is never returned. */
  private async caughtUp(
    asked: TextQuery,
    found: {
      results: Passage[];
      total: number;
      source: Source;
      passages: number;
      corrections?: Correction[] | undefined;
    },
    stale: ReadonlyMap<string, { deleted: boolean }>,
    call: UserCall,
    waitsUntilMs: number,
  ): Promise<Retrieved> {
    let fresh: Awaited<ReturnType<typeof this.textSearch>>;
    try {
      fresh = await this.textSearch(asked, call, waitsUntilMs);
    } catch (error) {
      call.degradation.add('filesystem', error, 'none');
      // An earlier text of a document is better than none, except for a deleted document.
      const results = found.results.filter(({ document }) => stale.get(document)?.deleted !== true);
      if (results.length === 0) return UNAVAILABLE;
      return { results, total: found.total, source: found.source, outcome: 'found', ...correctionsIn(found) };
    }
    if (fresh.not_indexed !== undefined) call.degradation.add('filesystem', partialIndex(fresh.not_indexed), 'none');
    const kept = found.results.filter(({ document }) => !stale.has(document));
    const added = fresh.results.filter(({ document }) => stale.has(document));
    const results = interleave(kept, added).slice(0, asked.limit);
    const empty = fresh.documents === 0;
    return {
      results,
      total: Math.max(results.length, found.total - (found.results.length - kept.length) + added.length),
      source: empty ? 'none' : found.passages === 0 ? 'fulltext' : found.source,
      outcome: empty ? 'empty_project' : results.length === 0 ? 'no_match' : 'found',
      ...correctionsIn(found, fresh),
    };
  }

  private textSearch(asked: TextQuery, call: UserCall, waitsUntilMs: number) {
    const request = { params: { project_id: asked.projectId }, body: bodyOf(asked) };
    return waitUntil('filesystem', call, waitsUntilMs, (own) => this.filesystem.search(request, own));
  }

  private async fulltext(query: TextQuery, call: UserCall, waitsUntilMs: number): Promise<TextFound> {
    try {
      const found = await this.textSearch(query, call, waitsUntilMs);
      const outcome = found.documents === 0 ? 'empty_project' : found.total === 0 ? 'no_match' : 'found';
      return {
        found: {
          results: found.results,
          total: found.total,
          source: outcome === 'empty_project' ? 'none' : 'fulltext',
          outcome,
          ...correctionsIn(found),
        },
        notIndexed: found.not_indexed ?? 0,
      };
    } catch (error) {
      // The project was deleted a moment ago.
      if (error instanceof DownstreamError && error.status === 404) {
        return { found: { results: [], total: 0, source: 'none', outcome: 'empty_project' }, notIndexed: 0 };
      }
      throw error;
    }
  }
}

interface TextFound {
  found: Retrieved;
  /** How many documents the full-text index lacks, while it is being built. */
  notIndexed: number;
}

/** A full-text result that is used; one of an incomplete index is degraded. */
function completed({ found, notIndexed }: TextFound, { degradation }: UserCall): Retrieved {
  if (notIndexed > 0) degradation.add('filesystem', partialIndex(notIndexed), 'none');
  return found;
}

function bodyOf({ query, limit, offset, scope, explain = false }: TextQuery) {
  return { query, limit, offset, ...(explain && { explain }), ...(scope === undefined ? {} : { scope }) };
}

/** The corrections of several answers to one query: the first that exist. */
function correctionsIn(...found: { corrections?: Correction[] | undefined }[]): Pick<Retrieved, 'corrections'> {
  const corrections = found.find((one) => one.corrections !== undefined)?.corrections;
  return corrections === undefined ? {} : { corrections };
}

function notEmbedded(reason: DownstreamReason): DownstreamError {
  return new DownstreamError({ service: 'chroma', reason, message: 'the question was not embedded' });
}

function lostIndex(): DownstreamError {
  return new DownstreamError({ service: 'chroma', reason: 'fault', message: 'the index is being rebuilt' });
}

function partialIndex(documents: number): DownstreamError {
  const message = `the full-text index lacks ${documents} documents, because it is being built`;
  return new DownstreamError({ service: 'filesystem', reason: 'fault', message });
}

/** Work that is started once, by its first caller, and whose failure may occur before any caller waits for it. */
class Deferred<T> {
  private promise: Promise<T> | undefined;

  constructor(private readonly work: () => Promise<T>) {}

  start(): void {
    if (this.promise !== undefined) return;
    this.promise = this.work();
    this.promise.catch(() => undefined);
  }

  result(): Promise<T> {
    this.start();
    return this.promise as Promise<T>;
  }
}

function interleave<T>(first: readonly T[], second: readonly T[]): T[] {
  const merged: T[] = [];
  for (let i = 0; i < Math.max(first.length, second.length); i++) {
    merged.push(...first.slice(i, i + 1), ...second.slice(i, i + 1));
  }
  return merged;
}
