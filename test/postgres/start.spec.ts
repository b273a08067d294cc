import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeWithPostgres, PostgresServer } from '../../src/storage/postgres/testing/postgres-server.js';
import { freePort } from '../free-port.js';
import { until } from '../system/caudex.js';

const MAIN = join(process.env['CAUDEX_DIST'] ?? join(import.meta.dirname, '../../dist'), 'main.js');

describeWithPostgres('the start of a process with DATABASE_URL', () => {
  let server: PostgresServer;
  let dir: string;
  let child: ChildProcess | undefined;
  let output = '';

  beforeAll(async () => {
    server = await PostgresServer.start();
  });
  afterAll(() => server.stop());
  beforeEach(() => (dir = mkdtempSync(join(tmpdir(), 'caudex-start-'))));
  afterEach(async () => {
    if (child?.exitCode === null && child.signalCode === null) {
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    }
    rmSync(dir, { recursive: true });
  });

  function start(url: string, port: number): ChildProcess {
    const env = { PATH: process.env['PATH'], NODE_ENV: 'test', DATA_DIR: dir, PORT: String(port), DATABASE_URL: url };
    child = spawn(process.execPath, [MAIN, 'billing'], { env });
    output = '';
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (text: Buffer) => (output += text.toString()));
    return child;
  }

  async function refused(url: string): Promise<string> {
    const [code] = (await once(start(url, await freePort()), 'close')) as [number];
    expect(code).toBe(1);
    expect(output).not.toContain('s3cret');
    return output;
  }

  const withPassword = (url: string) => url.replace('caudex@', 'caudex:s3cret@');

  it('is refused with one line for a database that is missing, and for a URL of something else', async () => {
    const missing = withPassword(server.urlOf('nowhere'));
    expect(await refused(missing)).toBe(
      `caudex: DATABASE_URL: PostgreSQL at 127.0.0.1:${server.port}/nowhere refused: database "nowhere" does not exist\n`,
    );
    expect(await refused('mysql://caudex:s3cret@localhost/caudex')).toBe(
      'caudex: The configuration is not usable:\n  - DATABASE_URL: a URL like postgres://user:password@host:5432/database is needed\n',
    );
  });

  it('is refused with one line for the schema of a newer release', async () => {
    const url = await server.newDatabase();
    const port = await freePort();
    const first = start(url, port);
    await until('it is ready', async () => (await fetch(`http://127.0.0.1:${port}/health/ready`)).ok);
    first.kill('SIGTERM');
    await once(first, 'exit');
    const database = new URL(url).pathname.slice(1);
    await server.query(`INSERT INTO billing.migrations (name, run_on) VALUES ('999_future', now())`, database);
    expect(await refused(withPassword(url))).toMatch(
      /^caudex: DATABASE_URL: the schema "billing" was migrated by a newer release \(999_future\); this release knows \d+_\w+ at most\n$/,
    );
  });

  it('waits while the database is unreachable, alive and not ready, and goes on when it is there', async () => {
    const url = await server.newDatabase();
    await server.halt();
    const port = await freePort();
    start(withPassword(url), port);
    const status = async (path: string) => (await fetch(`http://127.0.0.1:${port}${path}`)).status;
    await until('it is alive', async () => (await status('/health/live')) === 200);
    const ready = await fetch(`http://127.0.0.1:${port}/health/ready`);
    expect([ready.status, ready.headers.get('retry-after'), await ready.json()]).toMatchObject([
      503,
      '1',
      { code: 'starting' },
    ]);
    expect(output).toContain('is unreachable (connect ECONNREFUSED');
    expect(output).not.toContain('s3cret');
    await server.resume();
    await until('it is ready', async () => (await status('/health/ready')) === 200);
  });
});
