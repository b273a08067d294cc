import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SAMPLE_SERVICE_TOKEN } from '../../src/config/config.loader.js';
import { RealRedis } from '../../src/backend/redis/testing/real-redis.js';
import { PostgresServer } from '../../src/storage/postgres/testing/postgres-server.js';
import { type App, APPS, Caudex, Person } from '../system/caudex.js';
import { HaProxy } from './haproxy.js';

/** Longer than HAProxy needs to notice. */
const DRAIN_DELAY_MS = 4000;

/** One process of the system. */
export interface Replica {
  app: App;
  caudex: Caudex;
  name: string;
}

/** Two of each process behind HAProxy, on one PostgreSQL and one Redis. Each chroma and git server has a folder of its own. */
export class TwoOfEverything {
  a!: Caudex;
  b!: Caudex;
  private proxy: HaProxy | undefined;
  private readonly documents = mkdtempSync(join(tmpdir(), 'caudex-documents-'));

  private constructor(
    readonly postgres: PostgresServer,
    readonly redis: RealRedis,
    private readonly database: string,
  ) {}

  static async start(haproxy: string, settings: Record<string, string>): Promise<TwoOfEverything> {
    const [postgres, redis] = await Promise.all([PostgresServer.start(), RealRedis.start()]);
    const two = new TwoOfEverything(postgres, redis, await postgres.newDatabase());
    try {
      await two.begin(haproxy, settings);
    } catch (error) {
      await two.stop();
      throw error;
    }
    return two;
  }

  private async begin(haproxy: string, settings: Record<string, string>): Promise<void> {
    const env = {
      ...{ DATABASE_URL: this.database, REDIS_URL: this.redis.url },
      CAUDEX__HTTP__DRAIN_DELAY_MS: String(DRAIN_DELAY_MS),
      CAUDEX__HTTP__TRUSTED_PROXIES: '[127.0.0.1]',
      CAUDEX__STORAGE__DOCUMENTS_DIR: this.documents,
      // Each request is to reach the servers behind the backend.
      CAUDEX__SESSION__FRESH_MS: '0',
      // The machine runs two of everything and the load.
      CAUDEX__PATIENCE__REDIS_MS: '1000',
      ...settings,
    };
    const apps = APPS.filter((app) => app !== 'backend');
    this.a = await Caudex.start(env, { apps });
    this.b = await Caudex.start(env, { apps });
    await Promise.all([this.a, this.b].map((caudex) => caudex.launch('backend', addresses(this.a, this.b))));
    this.proxy = await HaProxy.start(haproxy, [this.a.url, this.b.url]);
  }

  get replicas(): Replica[] {
    return APPS.flatMap((app) =>
      [this.a, this.b].map((caudex) => ({ app, caudex, name: `${app} ${caudex === this.a ? 'a' : 'b'}` })),
    );
  }

  launch({ app, caudex }: Replica): Promise<void> {
    return caudex.launch(app, app === 'backend' ? addresses(this.a, this.b) : {});
  }

  /** A new account, signed in through HAProxy. */
  async signUp(): Promise<Person> {
    const { token } = await this.a.signUp();
    return new Person(this.proxy?.url ?? '', token);
  }

  /** The number of entries in the outbox, by state. */
  async outbox(): Promise<Record<string, number>> {
    const rows = await this.postgres.query(
      'SELECT state, count(*)::int AS n FROM backend.entries GROUP BY state',
      new URL(this.database).pathname.slice(1),
    );
    return Object.fromEntries(rows.map((row) => [String(row['state']), Number(row['n'])]));
  }

  /** What both chroma servers and both git servers have of each project. */
  inventories(): Promise<[unknown, unknown][]> {
    const headers = { 'x-internal-token': SAMPLE_SERVICE_TOKEN };
    const at = async (url: string) => (await fetch(`${url}?limit=500`, { headers })).json() as Promise<unknown>;
    const both = async (app: App, path: string): Promise<[unknown, unknown]> => [
      await at(this.a.urlOf(app) + path),
      await at(this.b.urlOf(app) + path),
    ];
    const paths = [both('chroma', '/inventory'), both('git', '/inventory'), both('git', '/inventory/versions')];
    return Promise.all(paths);
  }

  async stop(): Promise<void> {
    await this.proxy?.stop();
    const all = [this.a, this.b].filter((caudex: Caudex | undefined) => caudex !== undefined);
    for (const caudex of all) await Promise.all(APPS.map((app) => caudex.kill(app)));
    await Promise.all([...all.map((caudex) => caudex.stop()), this.redis.remove(), this.postgres.stop()]);
    rmSync(this.documents, { recursive: true, force: true });
  }
}

/** The addresses of all servers, for a backend. */
function addresses(a: Caudex, b: Caudex): Record<string, string> {
  return Object.fromEntries(
    APPS.filter((app) => app !== 'backend').map((app) => [
      `${app.toUpperCase()}_SERVER_URL`,
      `${a.urlOf(app)},${b.urlOf(app)}`,
    ]),
  );
}
