import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { StartError } from '../../config/start-error.js';
import { freePort } from '../free-port.js';
import { openPostgres } from './open-postgres.js';
import { describeWithPostgres, PostgresServer, testSettings } from './testing/postgres-server.js';

const PGBOUNCER = '/usr/sbin/pgbouncer';
const IGNORED = 'extra_float_digits,options,statement_timeout,lock_timeout,idle_in_transaction_session_timeout';
/** The postgres user of Debian, where the test runs as root, which PgBouncer refuses. */
const asUser = () =>
  process.getuid?.() === 0 ? { uid: Number(execFileSync('id', ['-u', 'postgres']).toString()) } : {};

const open = (port: number) =>
  new Promise<boolean>((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false));
    socket.end();
  });

describeWithPostgres('a pooler that drops the options of a connection (PgBouncer)', () => {
  let server: PostgresServer;
  let dir: string;
  let bouncer: ChildProcess | undefined;
  const whereInstalled = existsSync(PGBOUNCER) ? it : it.skip;
  if (!existsSync(PGBOUNCER)) process.stderr.write('PgBouncer is not installed: its tests are skipped\n');

  beforeAll(async () => {
    server = await PostgresServer.start();
    dir = mkdtempSync(join(tmpdir(), 'caudex-pooler-'));
    chmodSync(dir, 0o755);
  });
  afterEach(async () => {
    if (bouncer?.exitCode === null && bouncer.kill('SIGKILL')) await once(bouncer, 'exit');
  });
  afterAll(async () => {
    await server.stop();
    rmSync(dir, { recursive: true });
  });

  async function startThrough(settings: string): Promise<unknown> {
    const [database, port] = [new URL(await server.newDatabase()).pathname.slice(1), await freePort()];
    const file = join(dir, 'pgbouncer.ini');
    const backend = `${database} = host=127.0.0.1 port=${server.port} user=caudex`;
    const own = `listen_addr=127.0.0.1\nlisten_port=${port}\nauth_type=any\nunix_socket_dir=\n${settings}`;
    writeFileSync(file, `[databases]\n${backend}\n[pgbouncer]\n${own}\n`);
    bouncer = spawn(PGBOUNCER, [file], { stdio: 'ignore', ...asUser() });
    while (!(await open(port))) await sleep(50);
    const part = { namespace: 'shop', migrations: dir };
    return openPostgres(testSettings(`postgres://caudex@127.0.0.1:${port}/${database}`), part, () => undefined);
  }

  whereInstalled('is not used where it refuses them', async () => {
    const start = startThrough('pool_mode=transaction');
    await expect(start).rejects.toThrow(StartError);
    await expect(start).rejects.toThrow('refused: unsupported startup parameter');
  });

  whereInstalled('is not used where it ignores them: the tables would be those of another schema', async () => {
    const start = startThrough(`pool_mode=session\nignore_startup_parameters=${IGNORED}`);
    await expect(start).rejects.toThrow(StartError);
    await expect(start).rejects.toThrow('a pooler drops the option search_path=shop');
  });
});
