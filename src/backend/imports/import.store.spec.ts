import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BACKEND_PART } from '../../replicas/backend-database.js';
import { Replicas } from '../../replicas/replicas.js';
import { openPostgres } from '../../storage/postgres/open-postgres.js';
import type { Postgres } from '../../storage/postgres/postgres.js';
import { describeWithPostgres, PostgresServer, testSettings } from '../../storage/postgres/testing/postgres-server.js';
import type { ImportJob, ImportStore } from './import.store.js';
import { PostgresImportStore } from './postgres-import.store.js';
import { SqliteImportStore } from './sqlite-import.store.js';

const job = (importId: string, userId = 'ann', projectId = 'p'): ImportJob => ({
  userId,
  projectId,
  before: null,
  progress: {
    ...{ import_id: importId, source: '/books', branch: null, state: 'running', detail: null },
    ...{ imported_commits: 0, documents: 0, skipped: 0, skipped_documents: [] },
  },
});

describe('the imports in SQLite', () => {
  let dir: string;
  let store: SqliteImportStore | undefined;
  beforeEach(() => (dir = mkdtempSync(join(tmpdir(), 'imports-'))));
  afterEach(async () => {
    await store?.close();
    rmSync(dir, { recursive: true });
  });

  behavesAsImportStore(async () => {
    await store?.close();
    return (store = new SqliteImportStore(join(dir, 'imports.db')));
  });
});

describeWithPostgres('the imports in PostgreSQL', () => {
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
  const endAll = async () => {
    for (const { db, replicas } of opened.splice(0)) {
      await replicas.stop();
      await db.close();
    }
  };
  afterEach(endAll);

  async function open() {
    const db = await openPostgres(testSettings(url), BACKEND_PART, () => undefined);
    const replicas = new Replicas(db, { beatMs: 20, timeoutMs: 200 }, () => undefined);
    const store = new PostgresImportStore(db, replicas);
    await replicas.start();
    opened.push({ db, replicas });
    return { db, store };
  }

  behavesAsImportStore(async () => {
    await endAll();
    return (await open()).store;
  });

  it('are run by one replica each, and taken over from one that died', async () => {
    const [a, b] = [await open(), await open()];
    const one = job('a');
    await a.store.add(one);
    expect(await b.store.takeUnfinished()).toEqual([]);
    expect(await b.store.countUnfinished('ann')).toBe(1);
    let calls = 0;
    b.store.watch(() => calls++);
    await a.db.close();
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(calls).toBeGreaterThan(0);
    expect(await b.store.takeUnfinished()).toEqual([{ job: one, starts: 1 }]);
    expect(await b.store.keepProgress(one)).toBe(true);
  });

  it('are no longer run where another replica deleted or has taken them', async () => {
    const [a, b] = [await open(), await open()];
    const [one, two] = [job('a'), job('b', 'ann', 'q')];
    await a.store.add(one);
    await a.store.add(two);
    await b.store.forget('ann', 'p');
    expect(await a.store.keepProgress(one)).toBe(false);
    await a.store.handOver(two);
    expect(await b.store.takeUnfinished()).toEqual([{ job: two, starts: 1 }]);
    expect(await a.store.keepProgress(two)).toBe(false);
    await a.store.end(two);
    expect(await b.store.countUnfinished('ann')).toBe(1);
  });
});

/** The behaviour of every store of imports. `restart` ends the process that had it in order, and opens the same one again. */
function behavesAsImportStore(restart: () => Promise<ImportStore>): void {
  let store: ImportStore;
  beforeEach(async () => {
    store = await restart();
  });

  it('restores running imports after a restart, with their progress and the versions before them', async () => {
    const [first, second] = [job('a'), job('b')];
    await store.add(first);
    await store.add(second);
    second.before = new Map([['a.md', 'v1']]);
    second.progress.documents = 7;
    expect(await store.keepBefore(second)).toBe(true);
    expect(await store.keepProgress(second)).toBe(true);
    await store.end(first);
    store = await restart();
    expect(await store.takeUnfinished()).toEqual([{ job: second, starts: 1 }]);
    expect(await store.countUnfinished('ann')).toBe(1);
  });

  it("keeps the newest hundred of each user's ended imports", async () => {
    for (const user of ['ann', 'bob']) {
      for (let n = 0; n < 101; n++) {
        await store.add(job(`${n}`, user));
        await store.end(job(`${n}`, user));
      }
    }
    expect(await store.find('ann', 'p', '0')).toBeUndefined();
    expect(await store.find('ann', 'p', '1')).toBeDefined();
    expect(await store.find('bob', 'p', '1')).toBeDefined();
  });

  it('shows no import to another user, and deletes those of one project only', async () => {
    await store.add(job('a'));
    await store.add(job('b', 'ann', 'q'));
    await store.add(job('c', 'bob'));
    expect(await store.find('bob', 'p', 'a')).toBeUndefined();
    expect(await store.find('ann', 'q', 'a')).toBeUndefined();
    await store.forget('ann', 'p');
    expect((await (store = await restart()).takeUnfinished()).map(({ job }) => job.progress.import_id)).toEqual([
      'b',
      'c',
    ]);
  });

  it('counts the resumptions of an import since the last orderly shutdown', async () => {
    const one = job('a');
    await store.add(one);
    for (const starts of [1, 2]) {
      store = await restart();
      expect(await store.takeUnfinished()).toEqual([{ job: one, starts }]);
    }
    await store.handOver(one);
    expect(await (await restart()).takeUnfinished()).toEqual([{ job: one, starts: 1 }]);
  });
}
