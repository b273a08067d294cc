import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { describeWithPostgres, PostgresServer } from '../../src/storage/postgres/testing/postgres-server.js';
import { Caudex, Person, until } from '../system/caudex.js';

const CHATS = 200;
const AT_ONCE = 10;
const SETTINGS = {
  CAUDEX__BILLING__STARTING_CREDITS: '100000',
  CAUDEX__STORAGE__POSTGRES__CONNECT_TIMEOUT_MS: '500',
  CAUDEX__STORAGE__POSTGRES__REPLICA_BEAT_MS: '200',
  CAUDEX__STORAGE__POSTGRES__REPLICA_TIMEOUT_MS: '3000',
};

interface Chat {
  message_id: string;
  conversation_id: string;
}

describeWithPostgres('two of backend, auth and billing on one PostgreSQL', () => {
  let server: PostgresServer;
  /** The whole system; and a second backend, auth and billing server that use the others of the first. */
  let a: Caudex;
  let b: Caudex;
  let database: string;

  beforeAll(async () => {
    server = await PostgresServer.start();
    const url = await server.newDatabase();
    database = new URL(url).pathname.slice(1);
    const env = { ...SETTINGS, DATABASE_URL: url };
    a = await Caudex.start(env);
    const shared = Object.fromEntries(
      (['filesystem', 'chroma', 'git'] as const).map((app) => [`${app.toUpperCase()}_SERVER_URL`, a.urlOf(app)]),
    );
    b = await Caudex.start({ ...env, ...shared }, { apps: ['auth', 'billing', 'backend'] });
  }, 120_000);
  afterAll(async () => {
    await Promise.all([a?.stop(), b?.stop()]);
    await server.stop();
  });

  const atB = (person: Person) => new Person(b.url, person.token);
  const withKey = (person: Person, path: string, body: object, key: string) =>
    person.request('POST', path, JSON.stringify(body), { 'content-type': 'application/json', 'idempotency-key': key });

  it('accept a token of each other, and refuse it within a second after the other one has signed it out', async () => {
    const ann = await a.signUp();
    expect(await atB(ann).get('/v1/api/auth/check')).toMatchObject({ user: {} });
    await ann.post('/v1/api/auth/logout', {});
    await sleep(1000);
    expect(await atB(ann).get('/v1/api/auth/check', 401)).toMatchObject({ code: 'token_revoked' });
  });

  it('refuse an API key within a second after the other one has deleted it', async () => {
    const ann = await a.signUp();
    const { id, key } = await ann.post<{ id: string; key: string }>(
      '/v1/api/keys',
      { name: 'k', scopes: ['read'] },
      201,
    );
    await new Person(b.url, key).get('/v1/api/projects');
    await ann.delete(`/v1/api/keys/${id}`);
    await sleep(1000);
    await new Person(b.url, key).get('/v1/api/projects', 401);
  });

  it('do once what comes to both with the same Idempotency-Key', async () => {
    const ann = await a.signUp();
    for (let n = 0; n < 10; n++) {
      const key = randomUUID();
      const both = await Promise.all(
        [ann, atB(ann)].map((one) => withKey(one, '/v1/api/projects', { name: `P${n}` }, key)),
      );
      const ids = await Promise.all(both.map(async (one) => ((await one.json()) as { project_id: string }).project_id));
      expect(both.map(({ status }) => status)).toEqual([201, 201]);
      expect(ids[0]).toBe(ids[1]);
    }
    expect((await ann.get<{ projects: object[] }>('/v1/api/projects')).projects).toHaveLength(10);

    const key = randomUUID();
    const answers = await Promise.all(
      [ann, atB(ann)].map(
        async (one) => (await withKey(one, '/v1/api/chat', { message: 'Hello?' }, key)).json() as Promise<Chat>,
      ),
    );
    expect(answers[0]?.message_id).toBe(answers[1]?.message_id);
    await drained();
    expect((await chargesOf(ann)).filter((id) => id === answers[0]?.message_id)).toHaveLength(1);
  });

  it('store and charge every chat once while one of them is killed', async () => {
    const ann = await a.signUp();
    const keys = Array.from({ length: CHATS }, () => randomUUID());
    const answers = new Map<string, Chat>();
    let killing: Promise<void> | undefined;
    let repeats = 0;
    const ask = async (key: string, first: Person): Promise<void> => {
      for (let person = first; ; person = ann) {
        const answer = await withKey(person, '/v1/api/chat', { message: `What is ${key}?` }, key).catch(
          () => undefined,
        );
        if (answer?.status === 200) return void answers.set(key, (await answer.json()) as Chat);
        await answer?.arrayBuffer();
        repeats++;
        await sleep(100);
      }
    };
    const left = [...keys.entries()];
    await Promise.all(
      Array.from({ length: AT_ONCE }, async () => {
        for (let next = left.shift(); next !== undefined; next = left.shift()) {
          const [n, key] = next;
          if (n === CHATS / 2) killing = b.kill('backend');
          await ask(key, n % 2 === 0 ? ann : atB(ann));
        }
      }),
    );
    await killing;
    expect(answers.size).toBe(CHATS);
    expect(repeats).toBeGreaterThan(0);
    await drained();
    const charges = await chargesOf(ann);
    expect(charges.toSorted()).toEqual([...answers.values()].map(({ message_id }) => message_id).toSorted());
    for (const { conversation_id, message_id } of answers.values()) {
      const { turns } = await ann.get<{ turns: { message_id: string; answer: { state: string } }[] }>(
        `/v1/api/conversations/${conversation_id}`,
      );
      expect(turns.map((turn) => [turn.message_id, turn.answer.state])).toEqual([[message_id, 'complete']]);
    }
    await b.launch('backend');
  }, 180_000);

  it('answer 503 at once while PostgreSQL is away, stay alive, and go on by themselves when it is back', async () => {
    const ann = await a.signUp();
    await ann.post('/v1/api/chat', { message: 'Before?' });
    await server.halt('SIGQUIT');
    const endMs = performance.now() + 10_000;
    while (performance.now() < endMs) {
      const beganMs = performance.now();
      const answer = await ann.request('POST', '/v1/api/chat', '{"message":"During?"}', {
        'content-type': 'application/json',
      });
      expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([503, 'storage_busy']);
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
      expect(performance.now() - beganMs).toBeLessThan(5000);
      expect((await fetch(`${a.url}/health/ready`)).status).toBe(200);
      await sleep(200);
    }
    await server.resume();
    for (const person of [ann, atB(ann)]) {
      await until('a chat is answered', async () => {
        const answer = await person.request('POST', '/v1/api/chat', '{"message":"After?"}', {
          'content-type': 'application/json',
        });
        return answer.status === 200;
      });
    }
    // A backend whose connections were still broken keeps the turn and its charge in memory at first.
    await until('all are charged', async () => (await chargesOf(ann)).length >= 3);
    await drained();
    expect(await chargesOf(ann)).toHaveLength(3);
    for (const caudex of [a, b]) expect(caudex.exitCode('backend')).toBeNull();
    const people = await until('people can sign up', () => b.signUp(), 40_000);
    await people.get('/v1/api/auth/check');
  }, 120_000);

  async function drained(): Promise<void> {
    await until(
      'the outbox is empty',
      async () => {
        const [row] = await server.query(
          `SELECT count(*)::int AS n FROM backend.entries WHERE state <> 'dead'`,
          database,
        );
        return row?.['n'] === 0;
      },
      60_000,
    );
    const [row] = await server.query('SELECT count(*)::int AS n FROM backend.entries', database);
    expect(row).toEqual({ n: 0 });
  }

  /** The ids of the charged messages. */
  async function chargesOf(person: Person): Promise<string[]> {
    const { rows } = await person.get<{ rows: { kind: string; message_id: string }[] }>(
      '/v1/api/billing/usage?limit=1000',
    );
    return rows.filter(({ kind }) => kind === 'capture').map(({ message_id }) => message_id);
  }
});
