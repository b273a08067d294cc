import { jest } from '@jest/globals';
import type { Generation, IndexStore } from '../index/index.store.js';
import type { VectorStore } from './vector.store.js';
import { VectorSync } from './vector-sync.js';

const GENERATION = { id: 1, collection: 'c' } as Generation;
/** The time that ChromaDB takes for a request. */
const REQUEST_MS = 50;

describe('VectorSync', () => {
  let requests: number[][];
  let sync: VectorSync;
  let isAway: boolean;

  beforeEach(() => {
    jest.useFakeTimers();
    requests = [];
    isAway = false;
    const store = {
      isAsked: () => true,
      vectors: (_: unknown, ids: readonly number[]) => ids.map((id) => ({ id, vector: new Float32Array(1) })),
      vectorIds: () => Array.from({ length: 300 }, (_, id) => id),
    } as Partial<IndexStore> as IndexStore;
    const vectors = {
      put: async (_: unknown, some: readonly { id: number }[]) => {
        await new Promise((resolve) => setTimeout(resolve, REQUEST_MS));
        if (isAway) throw new Error('ChromaDB is away');
        requests.push(some.map(({ id }) => id));
      },
      remove: () => Promise.resolve(),
      ids: () => Promise.resolve(new Set(requests.flat())),
    } as Partial<VectorStore> as VectorStore;
    sync = new VectorSync(store, vectors);
    sync.begin(GENERATION);
  });
  afterEach(() => jest.useRealTimers());

  async function addOneByOne(count: number, everyMs: number): Promise<void> {
    for (let id = 0; id < count; id++) {
      await sync.pushSoon(GENERATION, { put: [id], removed: [] });
      await jest.advanceTimersByTimeAsync(everyMs);
    }
  }

  it('sends the vectors in few requests also while documents keep arriving', async () => {
    await addOneByOne(300, 10);
    await jest.advanceTimersByTimeAsync(2000);
    expect(requests.flat()).toHaveLength(300);
    expect(requests.length).toBeLessThanOrEqual(4);
    expect(sync.waiting(GENERATION)).toEqual([]);
  });

  it('names the vectors that ChromaDB lacks until it has them', async () => {
    await addOneByOne(10, 10);
    expect(sync.waiting(GENERATION)).toHaveLength(10);
    await jest.advanceTimersByTimeAsync(2000);
    expect(sync.waiting(GENERATION)).toEqual([]);
  });

  it('lets a write wait while very many vectors are waiting', async () => {
    const put = Array.from({ length: 1500 }, (_, id) => id);
    let isDone = false;
    void sync.pushSoon(GENERATION, { put, removed: [] }).then(() => (isDone = true));
    await jest.advanceTimersByTimeAsync(1);
    expect(isDone).toBe(false);
    await jest.advanceTimersByTimeAsync(REQUEST_MS);
    expect(isDone).toBe(true);
  });

  it('compares both sides at the next write after a failure', async () => {
    isAway = true;
    await addOneByOne(50, 10);
    await jest.advanceTimersByTimeAsync(2000);
    expect(requests).toEqual([]);
    isAway = false;
    const pushed = sync.pushSoon(GENERATION, { put: [299], removed: [] });
    await jest.advanceTimersByTimeAsync(1000);
    await pushed;
    expect(new Set(requests.flat()).size).toBe(300);
  });
});
