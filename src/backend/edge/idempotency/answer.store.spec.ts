import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BACKEND_PART } from '../../../replicas/backend-database.js';
import { Replicas } from '../../../replicas/replicas.js';
import { openPostgres } from '../../../storage/postgres/open-postgres.js';
import type { Postgres } from '../../../storage/postgres/postgres.js';
import {
  describeWithPostgres,
  PostgresServer,
  testSettings,
} from '../../../storage/postgres/testing/postgres-server.js';
import { type AnswerStore, GONE, KEPT_MS } from './answer.store.js';
import { PostgresAnswerStore } from './postgres-answer.store.js';
import { SqliteAnswerStore } from './sqlite-answer.store.js';

const ANN = { userId: 'ann', key: 'k', fingerprint: 'f' };
const NOW_MS = Date.parse('2026-01-01T00:00:00Z');

describe('the answers to idempotency keys in SQLite', () => {
  let dir: string;
  beforeEach(() => (dir = mkdtempSync(join(tmpdir(), 'answers-'))));
  afterEach(() => rmSync(dir, { recursive: true }));
  behavesAsAnswerStore(async () => new SqliteAnswerStore(join(dir, 'idempotency.db')));
});

describeWithPostgres('the answers to idempotency keys in PostgreSQL', () => {
  let server: PostgresServer;
  let url: string;
  const opened: { db: Postgres; replicas: Replicas }[] = [];
  beforeAll(async () => {
    server = await PostgresServer.start();
  });
  afterAll(() => server.stop());
  beforeEach(async () => {
    url = await server.newDatabase();
  });
  afterEach(async () => {
    for (const { db, replicas } of opened.splice(0)) {
      await replicas.stop();
      await db.close();
    }
  });

  async function open() {
    const db = await openPostgres(testSettings(url), BACKEND_PART, () => undefined);
    const replicas = new Replicas(db, { beatMs: 20, timeoutMs: 200 }, () => undefined);
    const store = new PostgresAnswerStore(db, replicas);
    await replicas.start();
    opened.push({ db, replicas });
    return { db, store };
  }

  behavesAsAnswerStore(async () => (await open()).store);

  it('lets one of two replicas work on an answer, and the other one after it has failed', async () => {
    const [a, b] = [await open(), await open()];
    await Promise.all([a.store.claim(ANN, NOW_MS), b.store.claim(ANN, NOW_MS)]);
    const taken = await Promise.all([a, b].map(({ store }) => store.take(ANN, NOW_MS)));
    expect(taken.filter(Boolean)).toHaveLength(1);
    const [first, second] = taken[0] ? [a, b] : [b, a];
    await second.store.release(ANN);
    expect(await second.store.take(ANN, NOW_MS)).toBe(false);
    await first.store.release(ANN);
    expect(await second.store.take(ANN, NOW_MS)).toBe(true);
    await second.store.complete(ANN, '"done"', undefined);
    expect(await first.store.take(ANN, NOW_MS)).toBe(false);
    expect(await first.store.claim(ANN, NOW_MS)).toEqual({ fingerprint: 'f', answer: '"done"' });
  });

  it('lets another replica work on it where the one that did so has died', async () => {
    const [a, b] = [await open(), await open()];
    expect(await a.store.take(ANN, NOW_MS)).toBe(true);
    await a.db.close();
    expect(await b.store.take(ANN, NOW_MS)).toBe(false);
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(await b.store.take(ANN, NOW_MS)).toBe(true);
  });
});

/** The behaviour of every store of answers. */
function behavesAsAnswerStore(open: () => Promise<AnswerStore>): void {
  let store: AnswerStore;
  beforeEach(async () => {
    store = await open();
  });
  afterEach(() => store.close());

  it('keeps the first fingerprint of a key, and its answer, for each user', async () => {
    expect(await store.claim(ANN, NOW_MS)).toEqual({ fingerprint: 'f', answer: null });
    expect(await store.claim({ ...ANN, fingerprint: 'g' }, NOW_MS)).toEqual({ fingerprint: 'f', answer: null });
    expect(await store.take(ANN, NOW_MS)).toBe(true);
    await store.complete(ANN, JSON.stringify({ text: 'a\0b' }), undefined);
    expect(await store.take(ANN, NOW_MS)).toBe(false);
    expect(await store.claim(ANN, NOW_MS)).toEqual({ fingerprint: 'f', answer: '{"text":"a\\u0000b"}' });
    expect(await store.claim({ ...ANN, userId: 'bob' }, NOW_MS)).toEqual({ fingerprint: 'f', answer: null });
  });

  it('frees a key whose work has failed, and no key that is answered', async () => {
    await store.claim(ANN, NOW_MS);
    await store.take(ANN, NOW_MS);
    await store.release(ANN);
    expect(await store.claim({ ...ANN, fingerprint: 'g' }, NOW_MS)).toEqual({ fingerprint: 'g', answer: null });
    await store.complete(ANN, '1', undefined);
    await store.release(ANN);
    expect(await store.claim(ANN, NOW_MS)).toMatchObject({ answer: '1' });
  });

  it('takes a key again that was freed meanwhile', async () => {
    await store.claim(ANN, NOW_MS);
    await store.release(ANN);
    expect(await store.take(ANN, NOW_MS)).toBe(true);
    await store.complete(ANN, '1', undefined);
    expect(await store.claim(ANN, NOW_MS)).toEqual({ fingerprint: 'f', answer: '1' });
  });

  it('forgets a key after a day', async () => {
    await store.claim(ANN, NOW_MS);
    await store.complete(ANN, '1', undefined);
    expect(await store.claim({ ...ANN, key: 'other' }, NOW_MS + KEPT_MS)).toMatchObject({ answer: null });
    expect(await store.claim(ANN, NOW_MS + KEPT_MS)).toMatchObject({ answer: '1' });
    await store.claim({ ...ANN, key: 'other' }, NOW_MS + KEPT_MS + 60_001);
    expect(await store.claim(ANN, NOW_MS + KEPT_MS + 60_002)).toMatchObject({ answer: null });
  });

  it('replaces the answers about a deleted object, and no others', async () => {
    const about = {
      chat: { projectId: 'p', conversationId: 'c', messageId: 'm' },
      sibling: { projectId: 'p', conversationId: 'c', messageId: 'n' },
      upload: { projectId: 'p' },
      elsewhere: { projectId: 'q', conversationId: 'd', messageId: 'o' },
      free: { projectId: null, conversationId: 'e', messageId: 'x' },
    };
    const names = Object.keys(about) as (keyof typeof about)[];
    const gone = async () => {
      const kept = await Promise.all(names.map((key) => store.claim({ ...ANN, key }, NOW_MS)));
      return names.filter((_, index) => kept[index]?.answer === GONE);
    };
    for (const key of names) {
      await store.claim({ ...ANN, key }, NOW_MS);
      await store.complete({ ...ANN, key }, '1', about[key]);
    }
    await store.forget({ kind: 'turn', userId: 'bob', conversationId: 'c', messageId: 'm' });
    expect(await gone()).toEqual([]);
    await store.forget({ kind: 'turn', userId: 'ann', conversationId: 'c', messageId: 'm' });
    expect(await gone()).toEqual(['chat']);
    await store.forget({ kind: 'document', userId: 'ann', projectId: 'p' });
    expect(await gone()).toEqual(['chat', 'sibling']);
    await store.forget({ kind: 'project', userId: 'ann', projectId: 'p' });
    expect(await gone()).toEqual(['chat', 'sibling', 'upload']);
    await store.forget({ kind: 'conversation', userId: 'ann', conversationId: 'e' });
    expect(await gone()).toEqual(['chat', 'sibling', 'upload', 'free']);
    await store.claim({ ...ANN, userId: 'bob' }, NOW_MS);
    await store.complete({ ...ANN, userId: 'bob' }, '1', undefined);
    await store.forget({ kind: 'account', userId: 'ann' });
    expect(await store.claim({ ...ANN, key: 'elsewhere' }, NOW_MS)).toMatchObject({ answer: null });
    expect(await store.claim({ ...ANN, userId: 'bob' }, NOW_MS)).toMatchObject({ answer: '1' });
  });
}
