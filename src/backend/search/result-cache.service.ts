import { Inject, Injectable } from '@nestjs/common';
import { type Cache, normalised, scopeOf } from '../cache/cache.js';
import { CACHE } from '../cache/cache.module.js';
import type { Retrieved, RetrievalQuery } from './retrieval.service.js';

/** The last good result of one query. */
export interface ResultSlot {
  keep(found: Retrieved): void;
  last(): Promise<Retrieved | undefined>;
}

/** The last good results of each query, used when no search index answers. */
@Injectable()
export class ResultCache {
  constructor(@Inject(CACHE) private readonly cache: Cache) {}

  /**
   * Must be opened before the search: a result that became outdated during the search is not stored. A longer or
   * shorter page of the same query is better than no result.
   */
  open(userId: string, { projectId, query, limit, offset, mode, scope, explain = false }: RetrievalQuery): ResultSlot {
    const key = JSON.stringify(['results', mode, offset, normalised(query), scope ?? null, explain]);
    const opening = this.cache.open(scopeOf(userId, projectId), key);
    return {
      keep: (found) => void opening.then((slot) => slot.keep(found, bytesOf(found))),
      last: async () => {
        const found = (await opening).value as Retrieved | undefined;
        return found && { ...found, results: found.results.slice(0, limit) };
      },
    };
  }
}

/** The approximate size of a result in memory. */
function bytesOf({ results }: Retrieved): number {
  return results.reduce((sum, { text, highlights }) => sum + 500 + 2 * (text.length + highlights.join('').length), 500);
}
