import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RealRedis } from '../../src/backend/redis/testing/real-redis.js';
import { PostgresServer } from '../../src/storage/postgres/testing/postgres-server.js';
import { type App, APPS, Caudex, Person } from '../system/caudex.js';
import type { FakeLlm } from '../system/fake-llm.js';
import { HaProxy } from './haproxy.js';

/** Those that run twice; the others keep their data in a folder of one process. */
const TWICE = ['backend', 'auth', 'billing'] as const satisfies App[];
/** Longer than HAProxy needs to notice. */
const DRAIN_DELAY_MS = 4000;
const REPLICA_TIMEOUT_MS = 3000;

/** One process of the system. */
export interface Replica {
  app: App;
  caudex: Caudex;
  name: string;
}

/** Two of each process that can run twice, one of the others, behind HAProxy, on one PostgreSQL and one Redis. */
export class TwoOfEverything {
  private constructor(
    readonly postgres: PostgresServer,
    readonly redis: RealRedis,
    readonly proxy: HaProxy,
    readonly a: Caudex,
    readonly b: Caudex,
    private readonly database: string,
    private readonly documents: string,
  ) {}

  static async start(haproxy: string, llm: FakeLlm, settings: Record<string, string>): Promise<TwoOfEverything> {
    const [postgres, redis] = await Promise.all([PostgresServer.start(), RealRedis.start()]);
    const documents = mkdtempSync(join(tmpdir(), 'caudex-documents-'));
    const database = await postgres.newDatabase();
    const env = {
      ...{ DATABASE_URL: database, REDIS_URL: redis.url },
      ...{ LLM_BASE_URL: llm.url, LLM_MODEL: 'test' },
      CAUDEX__HTTP__DRAIN_DELAY_MS: String(DRAIN_DELAY_MS),
      CAUDEX__HTTP__TRUSTED_PROXIES: '[127.0.0.1]',
      CAUDEX__STORAGE__POSTGRES__REPLICA_TIMEOUT_MS: String(REPLICA_TIMEOUT_MS),
      // Each request is to reach the servers behind the backend.
      CAUDEX__SESSION__FRESH_MS: '0',
      // The machine runs two of everything and the load.
      CAUDEX__PATIENCE__REDIS_MS: '1000',
      ...settings,
    };
    const a = await Caudex.start(env, { apps: APPS.filter((app) => app !== 'backend') });
    const b = await Caudex.start(env, { apps: TWICE.filter((app) => app !== 'backend') });
    const two = (proxy: HaProxy) => new TwoOfEverything(postgres, redis, proxy, a, b, database, documents);
    await Promise.all([a, b].map((caudex) => caudex.launch('backend', addresses(a, b))));
    return two(await HaProxy.start(haproxy, [a.url, b.url]));
  }

  get replicas(): Replica[] {
    return APPS.flatMap((app) =>
      (isTwice(app) ? [this.a, this.b] : [this.a]).map((caudex) => ({
        app,
        caudex,
        name: `${app} ${caudex === this.a ? 'a' : 'b'}`,
      })),
    );
  }

  /** The replicas that run twice. */
  get twice(): Replica[] {
    return this.replicas.filter(({ app }) => isTwice(app));
  }

  launch({ app, caudex }: Replica): Promise<void> {
    return caudex.launch(app, app === 'backend' ? addresses(this.a, this.b) : {});
  }

  /** A new account, signed in through HAProxy. */
  async signUp(): Promise<Person> {
    const { token } = await this.a.signUp();
    return new Person(this.proxy.url, token);
  }

  /** The number of entries in the outbox, by state. */
  async outbox(): Promise<Record<string, number>> {
    const rows = await this.postgres.query(
      'SELECT state, count(*)::int AS n FROM backend.entries GROUP BY state',
      new URL(this.database).pathname.slice(1),
    );
    return Object.fromEntries(rows.map((row) => [String(row['state']), Number(row['n'])]));
  }

  async stop(): Promise<void> {
    await this.proxy.stop();
    for (const { app, caudex } of this.replicas) await caudex.kill(app);
    await Promise.all([this.a.stop(), this.b.stop(), this.redis.remove(), this.postgres.stop()]);
    rmSync(this.documents, { recursive: true, force: true });
  }
}

const isTwice = (app: App) => (TWICE as readonly App[]).includes(app);

/** The addresses of all servers, for a backend. */
function addresses(a: Caudex, b: Caudex): Record<string, string> {
  return Object.fromEntries(
    APPS.filter((app) => app !== 'backend').map((app) => [
      `${app.toUpperCase()}_SERVER_URL`,
      isTwice(app) ? `${a.urlOf(app)},${b.urlOf(app)}` : a.urlOf(app),
    ]),
  );
}
