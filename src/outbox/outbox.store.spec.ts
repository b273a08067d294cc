import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BACKEND_PART } from '../replicas/backend-database.js';
import { Replicas } from '../replicas/replicas.js';
import { openPostgres } from '../storage/postgres/open-postgres.js';
import type { Postgres } from '../storage/postgres/postgres.js';
import { describeWithPostgres, PostgresServer, testSettings } from '../storage/postgres/testing/postgres-server.js';
import { type NewOutboxEntry, type OutboxEntry, OutboxFullError, type OutboxStore } from './outbox.store.js';
import { PostgresOutboxStore } from './postgres-outbox.store.js';
import { SqliteOutboxStore } from './sqlite-outbox.store.js';

const MAX_BYTES = 1_000_000;
const entry = (key: string, payload: unknown = {}, topic = 'turn'): NewOutboxEntry => ({
  topic,
  key,
  userId: 'ann',
  projectId: null,
  payload,
});
const dueOf = async (store: OutboxStore, limit = 10) => (await store.due('turn', Date.now(), { limit })).flat();
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe('an outbox in SQLite', () => {
  let dir: string;
  let store: SqliteOutboxStore | undefined;
  beforeEach(() => (dir = mkdtempSync(join(tmpdir(), 'outbox-'))));
  afterEach(async () => {
    await store?.close();
    rmSync(dir, { recursive: true });
  });

  behavesAsOutbox(async (maxBytes) => {
    await store?.close();
    store = new SqliteOutboxStore(join(dir, 'outbox.db'), maxBytes);
    await store.recoverHeld();
    return store;
  });
});

describeWithPostgres('an outbox in PostgreSQL', () => {
  let server: PostgresServer;
  let url: string;
  const opened: { db: Postgres; replicas: Replicas }[] = [];
  const warnings: string[] = [];

  beforeAll(async () => {
    server = await PostgresServer.start();
  });
  afterAll(() => server.stop());
  beforeEach(async () => {
    url = await server.newDatabase();
  });
  afterEach(async () => {
    for (const one of opened.splice(0)) await end(one);
  });

  async function openReplica(maxBytes = MAX_BYTES) {
    const db = await openPostgres(testSettings(url), BACKEND_PART, () => undefined);
    const replicas = new Replicas(db, { beatMs: 20, timeoutMs: 300 }, (message) => warnings.push(message));
    const store = new PostgresOutboxStore(db, replicas, maxBytes);
    await replicas.start();
    opened.push({ db, replicas });
    return { db, replicas, store };
  }

  async function end({ db, replicas }: { db: Postgres; replicas: Replicas }): Promise<void> {
    await replicas.stop();
    await db.close();
  }

  /** Ends a replica like a kill: it says nothing to the others. */
  const kill = ({ db }: { db: Postgres }) => db.close();

  behavesAsOutbox(async (maxBytes) => {
    for (const one of opened.splice(0)) await end(one);
    const { store } = await openReplica(maxBytes);
    // As after the first beat.
    await store.due('turn', 0, { limit: 1 });
    await store.wake(['turn']);
    return store;
  });

  it('gives each entry to one of two replicas, and the next one of a key when it is removed', async () => {
    const [a, b] = [await openReplica(), await openReplica()];
    await a.store.add(
      Array.from({ length: 40 }, (_, n) => entry(`k${n % 20}`, n)),
      'ready',
    );
    await b.store.wake(['turn']);
    const given: OutboxEntry[][] = [[], []];
    for (let rounds = 0; rounds < 100 && given.flat().length < 40; rounds++) {
      await Promise.all(
        [a, b].map(async ({ store }, index) => {
          const entries = await dueOf(store, 4);
          given[index]?.push(...entries);
          await store.remove(entries.map(({ id }) => id));
        }),
      );
    }
    const numbers = given.flat().map(({ payload }) => payload as number);
    expect(numbers.toSorted((one, other) => one - other)).toEqual(Array.from({ length: 40 }, (_, n) => n));
    expect(given.every((entries) => entries.length > 0)).toBe(true);
  });

  it('keeps the order of a key over two replicas', async () => {
    const [a, b] = [await openReplica(), await openReplica()];
    await a.store.add([entry('k', 1)], 'ready');
    await b.store.add([entry('k', 2)], 'ready');
    const [first] = await dueOf(a.store);
    expect(first?.payload).toBe(1);
    expect(await dueOf(b.store)).toEqual([]);
    await a.store.postpone(first?.id ?? '', Date.now() + 60_000, 1, 'away');
    expect(await dueOf(b.store)).toEqual([]);
    await a.store.remove([first?.id ?? '']);
    await b.store.wake(['turn']);
    expect((await dueOf(b.store)).map(({ payload }) => payload)).toEqual([2]);
  });

  it('lets another replica inherit what a dead one held or was delivering', async () => {
    const [a, b] = [await openReplica(), await openReplica()];
    await a.store.add([entry('held', 'h')], 'held');
    await a.store.add([entry('delivering', 'd')], 'ready');
    expect(await dueOf(a.store)).toHaveLength(1);
    await b.store.wake(['turn']);
    expect(await dueOf(b.store)).toEqual([]);
    let calls = 0;
    b.store.watch(() => calls++);
    await kill(a);
    await pause(200);
    expect(await dueOf(b.store)).toEqual([]);
    await pause(400);
    expect(calls).toBeGreaterThan(0);
    const inherited = await dueOf(b.store);
    expect(inherited.map(({ payload, recovered }) => [payload, recovered])).toEqual([
      ['h', true],
      ['d', false],
    ]);
  });

  it('buries no replica because the database was away', async () => {
    const [a, b] = [await openReplica(), await openReplica()];
    await a.store.add([entry('k')], 'held');
    warnings.length = 0;
    await server.halt();
    await pause(600);
    await server.resume();
    await pause(400);
    await b.store.wake(['turn']);
    expect(await dueOf(b.store)).toEqual([]);
    expect(warnings.filter((message) => message.includes('is dead'))).toEqual([]);
    expect(await a.store.pending('turn', 'ann')).toMatchObject([{ recovered: false }]);
  });

  it('tells the others at once when a replica ends in order', async () => {
    const [a, b] = [await openReplica(), await openReplica()];
    await a.store.add([entry('k')], 'held');
    await a.replicas.stop();
    await b.store.wake(['turn']);
    expect(await dueOf(b.store)).toMatchObject([{ recovered: true }]);
  });

  it('releases with its last payload what another replica had recovered', async () => {
    const [a, b] = [await openReplica(), await openReplica()];
    const [held] = await a.store.add([entry('k', 'half')], 'held');
    await b.db.transaction(async (session) => {
      await session.query(`UPDATE entries SET owner = NULL, recovered = true, state = 'ready'`);
    });
    const id = held?.id ?? '';
    await a.store.release([id], [], [{ id, payload: 'whole' }]);
    await b.store.wake(['turn']);
    expect(await dueOf(b.store)).toMatchObject([{ payload: 'whole', recovered: false }]);
  });

  it('gives back what is not delivered, and finds what others gave back', async () => {
    const [a, b] = [await openReplica(), await openReplica()];
    await b.store.due('turn', Date.now(), { limit: 1 });
    await a.store.add([entry('k')], 'ready');
    const [taken] = await dueOf(a.store);
    await pause(100);
    expect(await dueOf(b.store)).toEqual([]);
    await a.store.giveBack([taken?.id ?? '']);
    await pause(100);
    expect(await dueOf(b.store)).toHaveLength(1);
  });

  it('keeps U+0000 in payloads and errors', async () => {
    const { store } = await openReplica();
    await store.add([entry('k', { text: 'a\0b' })], 'ready');
    const [one] = await dueOf(store);
    expect(one?.payload).toEqual({ text: 'a\0b' });
    await store.bury(one?.id ?? '', 'no\0good');
    expect(await store.dead(1)).toMatchObject([{ lastError: 'no\\0good' }]);
  });
});

/** The behaviour of every store of the outbox. `restart` ends the process that had it in order, and opens the same one again. */
function behavesAsOutbox(restart: (maxBytes: number) => Promise<OutboxStore>): void {
  let store: OutboxStore;
  const due = () => dueOf(store);
  beforeEach(async () => {
    store = await restart(MAX_BYTES);
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
    store = await restart(MAX_BYTES);
    expect(await due()).toMatchObject([{ payload: { text: 'ä' }, recovered: true }]);
  });

  it('refuses what it has no room for, and all of a batch with it', async () => {
    store = await restart(100);
    await expect(store.add([entry('a', 'x'.repeat(60)), entry('b', 'x'.repeat(60))], 'ready')).rejects.toThrow(
      OutboxFullError,
    );
    expect(await store.stats()).toEqual([]);
    const [kept] = await store.add([entry('a', 'x'.repeat(60))], 'ready');
    await expect(store.add([entry('b', 'x'.repeat(60))], 'ready')).rejects.toThrow(OutboxFullError);
    await store.remove([kept?.id ?? '']);
    await store.add([entry('b', 'x'.repeat(60))], 'ready');
  });

  it('serves users in turn, and the projects of each user in turn', async () => {
    const of = (userId: string, projectId: string, n: number) =>
      Array.from({ length: n }, (_, i) => ({ ...entry(`${userId}${projectId}${i}`, i), userId, projectId }));
    await store.add([...of('ann', 'p', 9), ...of('ann', 'q', 9), ...of('bob', 'r', 9)], 'ready');
    const served = async (limit: number) =>
      (await store.due('turn', Date.now(), { limit })).flat().map(({ id, userId, projectId, key }) => {
        taken.push({ id, userId, projectId, key });
        return `${userId}/${projectId}`;
      });
    const taken: Pick<OutboxEntry, 'id' | 'userId' | 'projectId' | 'key'>[] = [];
    expect((await served(4)).sort()).toEqual(['ann/p', 'ann/q', 'bob/r', 'bob/r']);
    await store.remove(taken.map(({ id }) => id));
    expect(await served(1)).toEqual(['ann/p']);
    await store.remove(taken.map(({ id }) => id));
    expect(await served(1)).toEqual(['bob/r']);
    await store.remove(taken.map(({ id }) => id));
    expect(await served(1)).toEqual(['ann/q']);
  });

  it('puts entries of one project together, and none of a project that is being served', async () => {
    const batch = { maxEntries: 3, maxChars: 1000 };
    await store.add(
      [...['a', 'b', 'c', 'd'].map((key) => ({ ...entry(key, key), projectId: 'p' })), entry('e')],
      'ready',
    );
    const groups = await store.due('turn', Date.now(), { limit: 5, batch });
    expect(groups.map((group) => group.map(({ key }) => key))).toEqual([['a', 'b', 'c'], ['e']]);
    const running = groups[0] ?? [];
    const next = await store.due('turn', Date.now(), { limit: 5, batch, running });
    expect(next.map((group) => group.map(({ key }) => key))).toEqual([['e']]);
    expect(await store.due('turn', Date.now(), { limit: 5, batch, running, busy: ['ann'] })).toEqual([]);
    const gathering = [{ userId: 'ann', projectId: 'p' }];
    const others = await store.due('turn', Date.now(), { limit: 5, batch, gathering });
    expect(others.map((group) => group.map(({ key }) => key))).toEqual([['e']]);
    const short = await store.due('turn', Date.now(), { limit: 5, batch: { maxEntries: 3, maxChars: 7 } });
    expect(short.map((group) => group.map(({ key }) => key))).toContainEqual(['a', 'b']);
  });

  it('writes what arrives together, and refuses only the write that it has no room for', async () => {
    const outcomes = await Promise.allSettled([
      store.add([entry('a')], 'ready'),
      store.add([entry('b', 'x'.repeat(MAX_BYTES))], 'ready'),
      store.add([entry('c')], 'ready'),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect((await due()).map(({ key }) => key).toSorted()).toEqual(['a', 'c']);
    // The refused write has taken no room.
    await store.add([entry('d', 'x'.repeat(MAX_BYTES / 2))], 'ready');
  });

  it('says when a postponed entry is due', async () => {
    const [one] = await store.add([entry('a')], 'ready');
    const nowMs = Date.now();
    await store.postpone(one?.id ?? '', nowMs + 50, 1, 'away');
    expect(await store.nextDueMs(nowMs)).toBe(nowMs + 50);
    expect(await due()).toEqual([]);
    await pause(60);
    expect(await due()).toHaveLength(1);
    expect(await store.nextDueMs(Date.now())).toBeNull();
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

  it('lists the pending entries of one user by key and project, without those of other users', async () => {
    await store.add([entry('a'), { ...entry('b'), projectId: 'p' }, { ...entry('a'), userId: 'bob' }], 'ready');
    expect(await store.pending('turn', 'ann')).toHaveLength(2);
    expect(await store.pending('turn', 'ann', { keys: ['a', 'none'] })).toHaveLength(1);
    expect(await store.pending('turn', 'ann', { projectId: 'p' })).toHaveLength(1);
    expect(await store.pending('turn', 'eve')).toEqual([]);
    const [moved] = await store.add([{ ...entry('new'), otherKey: 'old' }], 'ready');
    for (const keys of [['old'], ['new'], ['old', 'new', 'none']]) {
      expect(await store.pending('turn', 'ann', { keys })).toMatchObject([{ id: moved?.id, key: 'new' }]);
      expect(await store.isDelivering('turn', 'ann', { keys })).toBe(true);
    }
    expect(await store.pending('turn', 'eve', { keys: ['old'] })).toEqual([]);
    expect(await store.pending('index', 'ann', { keys: ['old'] })).toEqual([]);
    await store.remove([moved?.id ?? '']);
    const [first] = await store.pending('turn', 'ann');
    await store.bury(first?.id ?? '', 'no good');
    expect(await store.pending('turn', 'ann')).toHaveLength(2);
    expect(await store.isDelivering('turn', 'ann', { keys: ['a'] })).toBe(false);
    expect(await store.isDelivering('turn', 'ann')).toBe(true);
  });

  it('counts the entries of some topics in a project of a user', async () => {
    const inProject = (topic: string, key: string) => ({ ...entry(key, {}, topic), projectId: 'p' });
    await store.add([inProject('turn', 'a'), inProject('turn', 'b'), inProject('turn@b', 'a'), entry('c')], 'ready');
    await store.add([inProject('turn', 'held'), { ...inProject('turn', 'd'), userId: 'bob' }], 'held');
    const counts = await store.counts(['turn', 'turn@b', 'turn@c'], 'ann', 'p');
    expect([...counts]).toEqual(
      expect.arrayContaining([
        ['turn', 3],
        ['turn@b', 1],
      ]),
    );
    expect(counts.size).toBe(2);
  });

  it('gives the entries of a topic to other topics, as they are, and leaves those that are held', async () => {
    await store.add([entry('a', 1, 'turn@x'), entry('a', 2, 'turn@x'), entry('b', 3, 'turn@x')], 'ready');
    const [dead] = (await store.pending('turn@x', 'ann', { keys: ['b'] })).map(({ id }) => id);
    await store.bury(dead ?? '', 'no good');
    await store.add([entry('c', 4, 'turn@x')], 'held');
    expect(await store.topics()).toEqual(['turn@x']);
    await store.readdress('turn@x', ['turn', 'turn@b']);
    expect((await store.topics()).toSorted()).toEqual(['turn', 'turn@b', 'turn@x']);
    expect(await store.pending('turn@x', 'ann')).toMatchObject([{ payload: 4 }]);
    for (const topic of ['turn', 'turn@b']) {
      expect(await store.pending(topic, 'ann')).toMatchObject([
        { payload: 1, lastError: null },
        { payload: 2 },
        { payload: 3, lastError: 'no good' },
      ]);
      const due = (await store.due(topic, Date.now(), { limit: 10 })).flat();
      expect(due.map(({ payload }) => payload)).toEqual([1]);
    }
    const ids = [...(await store.pending('turn', 'ann')), ...(await store.pending('turn@b', 'ann'))].map(
      ({ id }) => id,
    );
    expect(new Set(ids).size).toBe(6);
  });
}
