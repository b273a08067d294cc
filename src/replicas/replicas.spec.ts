import { openPostgres } from '../storage/postgres/open-postgres.js';
import type { Postgres } from '../storage/postgres/postgres.js';
import { describeWithPostgres, PostgresServer, testSettings } from '../storage/postgres/testing/postgres-server.js';
import { BACKEND_PART } from './backend-database.js';
import { Replicas } from './replicas.js';

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describeWithPostgres('replicas', () => {
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
    warnings.length = 0;
  });
  afterEach(async () => {
    for (const { db, replicas } of opened.splice(0)) {
      await replicas.stop();
      await db.close();
    }
  });

  async function open() {
    const db = await openPostgres(testSettings(url), BACKEND_PART, () => undefined);
    const replicas = new Replicas(db, { beatMs: 20, timeoutMs: 300 }, (message) => warnings.push(message));
    const [heard, inherited]: [unknown[], string[]] = [[], []];
    replicas.on('news', (body) => heard.push(body));
    replicas.onDead(async (_, dead) => void inherited.push(dead));
    await replicas.start();
    opened.push({ db, replicas });
    return { db, replicas, heard, inherited };
  }

  it('receive each announcement of the others once, and none of their own', async () => {
    const [a, b, c] = [await open(), await open(), await open()];
    await a.replicas.announce('news', { text: 'a\0b' });
    await a.replicas.announce('other', 1);
    await b.replicas.announce('news', 2);
    await pause(200);
    expect(a.heard).toEqual([2]);
    expect(b.heard).toEqual([{ text: 'a\0b' }]);
    expect(c.heard).toEqual([{ text: 'a\0b' }, 2]);
  });

  it('receive an announcement of a transaction that took long to commit', async () => {
    const [a, b] = [await open(), await open()];
    await a.db.transaction(async (session) => {
      await session.query(`INSERT INTO announcement (origin, topic, body) VALUES ('x', 'news', '1')`);
      await a.replicas.announce('news', 2);
      await pause(200);
    });
    await pause(100);
    expect(b.heard).toEqual([2, 1]);
  });

  it('receive after an outage of the database the announcements made during it', async () => {
    const [a, b] = [await open(), await open()];
    await server.halt();
    await pause(100);
    await server.resume();
    await a.replicas.announce('news', 1);
    await pause(300);
    expect(b.heard).toEqual([1]);
    expect(warnings.filter((message) => message.includes('the database is not available')).length).toBeGreaterThan(0);
  });

  it('inherit from a dead one once, and from none that lives', async () => {
    const [a, b, c] = [await open(), await open(), await open()];
    await pause(500);
    expect([...b.inherited, ...c.inherited]).toEqual([]);
    await a.db.close();
    await pause(600);
    expect([...b.inherited, ...c.inherited]).toEqual([a.replicas.id]);
    expect(await server.query('SELECT id FROM backend.replica', new URL(url).pathname.slice(1))).toHaveLength(2);
  });

  it('leave their work to the others when they stop, also after they were taken for dead', async () => {
    const { db, replicas, inherited } = await open();
    await db.write('DELETE FROM replica');
    await replicas.stop();
    expect(inherited).toEqual([replicas.id]);
  });
});
