import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NewOutboxEntry, OutboxEntry } from '../../outbox/outbox.store.js';
import { SqliteOutboxStore } from '../../outbox/sqlite-outbox.store.js';
import { DocumentSync } from './document-sync.service.js';

const PROJECT = { userId: 'ada', projectId: 'p' };
const COMMIT = { author: { name: 'Ada', email: 'ada@example.org' }, message: 'Move', committed_at: '2026-01-01' };
const MAX_BYTES = 1_000_000;

describe('a document from which or to which a move waits for its index update', () => {
  let dir: string;
  let store: SqliteOutboxStore;
  let sync: DocumentSync;

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'waiting-moves-'));
    store = new SqliteOutboxStore(join(dir, 'outbox.db'), MAX_BYTES);
    const outbox = {
      store,
      hold: (entries: readonly NewOutboxEntry[]) => store.add(entries, 'held'),
      release: (held: readonly OutboxEntry[], ...more: [NewOutboxEntry[], { id: string; payload: unknown }[]]) =>
        store.release(
          held.map(({ id }) => id),
          ...more,
        ),
      discard: (entries: readonly OutboxEntry[]) => store.remove(entries.map(({ id }) => id)),
      // The services are away, so nothing waits for them.
      isPaused: () => true,
    };
    const config = { patience: { commit_ms: 0 }, documents: { index_wait_ms: 0 } };
    const parts = [config, {}, { topics: () => ['index'] }, { topics: () => ['commit'] }, outbox, {}, {}];
    sync = new DocumentSync(...(parts as unknown as ConstructorParameters<typeof DocumentSync>));
  });
  afterEach(async () => {
    await store.close();
    rmSync(dir, { recursive: true });
  });

  async function stale(...paths: string[]): Promise<string[]> {
    const of = await sync.staleDocuments('ada', 'p', { paths: paths });
    const each = await Promise.all(paths.map((path) => sync.isStale({ ...PROJECT, path })));
    const found = paths.filter((path) => of.has(path));
    expect(paths.filter((_, i) => each[i])).toEqual(found);
    return found;
  }

  it.each([
    ['a document', { from: 'a.md', to: 'b.md' }, [{ from: 'a.md', to: 'b.md' }]],
    ['a folder', { from: 'x/', to: 'y/z/' }, [{ from: 'x/c.md', to: 'y/z/c.md' }]],
    [
      'several documents',
      { from: '', to: '', planned: [{ from: 'a.md', to: 'd/a.md' }] },
      [{ from: 'a.md', to: 'd/a.md' }],
    ],
  ])('is stale while %s is being moved, and until the index has it', async (_, move, documents) => {
    const [{ from, to }] = documents as [{ from: string; to: string }];
    const held = await sync.holdMove(PROJECT, { ...move, copy: false, version: 'v' }, COMMIT);
    expect(await stale(from, to, 'other.md', 'x.md')).toEqual([from, to]);
    await sync.releaseMove(PROJECT, held, documents);
    expect(await stale(from, to, 'other.md', 'x.md')).toEqual([from, to]);
    expect((await sync.staleDocuments('ada', 'p', { paths: [from] })).get(from)).toEqual({ deleted: true });
    await store.remove((await store.pending('index', 'ada')).map(({ id }) => id));
    expect(await stale(from, to)).toEqual([]);
  });

  it('is not stale where it is copied', async () => {
    const held = await sync.holdMove(PROJECT, { from: 'a.md', to: 'b.md', copy: true, version: 'v' }, COMMIT);
    expect(await stale('a.md', 'b.md')).toEqual(['b.md']);
    await sync.releaseMove(PROJECT, held, [{ from: 'a.md', to: 'b.md' }]);
    expect(await stale('a.md', 'b.md')).toEqual(['b.md']);
  });
});
