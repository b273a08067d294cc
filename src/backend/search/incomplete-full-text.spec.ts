import { Degradation } from '../call/degradation.js';
import type { UserCall } from '../call/public-call.js';
import type { Retrieved } from './retrieval.service.js';
import { Retrieval } from './retrieval.service.js';

/** A retrieval whose full-text search answers with this, and what it put into the cache. */
function retrievalOn(answer: object) {
  const kept: Retrieved[] = [];
  const slot = { keep: (found: Retrieved) => void kept.push(found), last: async () => undefined };
  const parts = [
    { search: { fulltext_after_ms: 1000 } },
    {},
    { search: async () => ({ results: [], total: 0, documents: 3, ...answer }) },
    { open: () => slot },
    { staleDocuments: async () => new Map() },
    {},
  ];
  const retrieval = new Retrieval(...(parts as unknown as ConstructorParameters<typeof Retrieval>));
  return { retrieval, kept };
}

async function search(retrieval: Retrieval) {
  const degradation = new Degradation();
  const call = { userId: 'ada', degradation, signal: new AbortController().signal } as unknown as UserCall;
  const query = { projectId: 'p', query: 'x', limit: 5, offset: 0, mode: 'fulltext' as const, budgetMs: 1000 };
  const found = await retrieval.retrieve(query, call, Promise.resolve(undefined));
  return { found, degradation: degradation.list };
}

describe('a search of a full-text index that is being built', () => {
  it('is degraded, and is not kept as the last good result', async () => {
    const { retrieval, kept } = retrievalOn({ not_indexed: 2 });
    const { found, degradation } = await search(retrieval);
    expect(found).toMatchObject({ outcome: 'no_match', source: 'fulltext' });
    expect(degradation).toEqual([{ service: 'filesystem', reason: 'fault', fallback: 'none' }]);
    expect(kept).toEqual([]);
  });

  it('is a usual one where the index is complete', async () => {
    const { retrieval, kept } = retrievalOn({});
    expect((await search(retrieval)).degradation).toEqual([]);
    expect(kept).toHaveLength(1);
  });
});
