import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type NewOutboxEntry, OutboxFullError } from './outbox.store.js';
import { SqliteOutboxStore } from './sqlite-outbox.store.js';

describe('SqliteOutboxStore', () => {
  let dir: string;
  let store: SqliteOutboxStore;
  const open = (maxBytes = 1_000_000) => new SqliteOutboxStore(join(dir, 'outbox.db'), maxBytes);
  const entry = (key: string, payload: unknown = {}, topic = 'turn'): NewOutboxEntry => ({
    topic,
    key,
    userId: 'ann',
    projectId: null,
    payload,
  });

  const due = async () => (await store.due('turn', Date.now(), { limit: 10 })).flat();

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'outbox-'));
    store = open();
  });
  afterEach(async () => {
    await store.close();
    rmSync(dir, { recursive: true });
  });

  it('gives the oldest ready entry of each key, and the next when it is removed', async () => {
    await store.add([entry('a', 1), entry('a', 2), entry('b', 3)], 'ready');
    const first = await due();
    expect(first.map(({ payload }) => payload)).toEqual([1, 3]);
    await store.remove([first[0]?.id ?? '']);
    expect((await due()).map(({ payload }) => payload)).toEqual([2, 3]);
  });

  it('holds back what is held, and later entries of a key behind a postponed one', async () => {
    const [held] = await store.add([entry('a', 'held')], 'held');
    expect(await due()).toEqual([]);
    await store.update(held?.id ?? '', 'kept so far');
    const id = held?.id ?? '';
    await store.release([id], [entry('a', 'later')], [{ id, payload: 'changed' }]);
    await store.postpone(held?.id ?? '', Date.now() + 60_000, 1, 'away');
    expect(await due()).toEqual([]);
    await store.wake(['turn']);
    expect((await due()).map(({ payload, attempts }) => [payload, attempts])).toEqual([['changed', 1]]);
  });

  it('keeps what it was given over a restart, and marks what was held as recovered', async () => {
    await store.add([entry('a', { text: 'ä' })], 'held');
    await store.close();
    store = open();
    expect(await store.recoverHeld()).toBe(1);
    expect(await due()).toMatchObject([{ payload: { text: 'ä' }, recovered: true }]);
  });

  it('refuses what it has no room for, and all of a batch with it', async () => {
    await store.close();
    store = open(100);
    await expect(store.add([entry('a', 'x'.repeat(60)), entry('b', 'x'.repeat(60))], 'ready')).rejects.toThrow(
      OutboxFullError,
    );
    expect(await store.stats()).toEqual([]);
    const [kept] = await store.add([entry('a', 'x'.repeat(60))], 'ready');
    await expect(store.add([entry('b', 'x'.repeat(60))], 'ready')).rejects.toThrow(OutboxFullError);
    await store.remove([kept?.id ?? '']);
    await store.add([entry('b', 'x'.repeat(60))], 'ready');
  });

  it('sets an entry aside, lists it, and takes it up again', async () => {
    const [bad] = await store.add([entry('a')], 'ready');
    await store.bury(bad?.id ?? '', 'no good');
    expect(await due()).toEqual([]);
    expect(await store.dead(10)).toMatchObject([{ id: bad?.id, lastError: 'no good' }]);
    expect(await store.replay('unknown')).toBe(false);
    expect(await store.replay(bad?.id ?? '')).toBe(true);
    expect(await due()).toHaveLength(1);
  });

  it("tells a user's pending entries by key and project, and nobody else's", async () => {
    await store.add([entry('a'), { ...entry('b'), projectId: 'p' }, { ...entry('a'), userId: 'bob' }], 'ready');
    expect(await store.pending('turn', 'ann')).toHaveLength(2);
    expect(await store.pending('turn', 'ann', { key: 'a' })).toHaveLength(1);
    expect(await store.pending('turn', 'ann', { projectId: 'p' })).toHaveLength(1);
    expect(await store.pending('turn', 'eve')).toEqual([]);
    const [first] = await store.pending('turn', 'ann');
    await store.bury(first?.id ?? '', 'no good');
    expect(await store.pending('turn', 'ann')).toHaveLength(2);
    expect(await store.isDelivering('turn', 'ann', { key: 'a' })).toBe(false);
    expect(await store.isDelivering('turn', 'ann')).toBe(true);
  });
});
