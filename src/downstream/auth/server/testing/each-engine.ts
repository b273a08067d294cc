import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Config } from '../../../../config/config.schema.js';
import { openPostgres } from '../../../../storage/postgres/open-postgres.js';
import type { Postgres } from '../../../../storage/postgres/postgres.js';
import {
  describeWithPostgres,
  PostgresServer,
  testSettings,
} from '../../../../storage/postgres/testing/postgres-server.js';
import { type AuthStores, openAuthStores } from '../auth-stores.js';
import { AUTH_PART } from '../postgres/auth-part.js';

/** Opens the stores of one test: the same data each time, as after a restart. */
export type Open = (demo?: boolean) => Promise<AuthStores>;

const configOf = (data_dir: string, demo_account: boolean) => ({ data_dir, auth: { demo_account } }) as Config;

/** Runs the same tests on the stores in SQLite and files, and on those in PostgreSQL. */
export function describeStores(name: string, tests: (open: Open) => void): void {
  describe(`${name}, in SQLite`, () => {
    let dir: string;
    let opened: AuthStores | undefined;
    beforeEach(() => (dir = mkdtempSync(join(tmpdir(), 'caudex-auth-'))));
    afterEach(() => {
      opened?.close();
      opened = undefined;
      rmSync(dir, { recursive: true });
    });
    tests(async (demo = false) => {
      opened?.close();
      return (opened = openAuthStores(configOf(dir, demo), null));
    });
  });
  describeWithPostgres(`${name}, in PostgreSQL`, () => onPostgres((open) => tests(async (demo) => open(demo))));
}

/** Runs tests on a database of their own; each `open` connects anew, as another auth server does. */
export function onPostgres(tests: (open: Open) => void): void {
  let server: PostgresServer;
  let url: string;
  const pools: Postgres[] = [];
  beforeAll(async () => {
    server = await PostgresServer.start();
  });
  afterAll(() => server.stop());
  beforeEach(async () => {
    url = await server.newDatabase();
  });
  afterEach(() => Promise.all(pools.splice(0).map((pool) => pool.close())));
  tests(async (demo = false) => {
    const pool = await openPostgres(testSettings(url), AUTH_PART, () => undefined);
    pools.push(pool);
    return openAuthStores(configOf('/nowhere', demo), pool);
  });
}
