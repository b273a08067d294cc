import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { freePort } from '../../free-port.js';
import type { PostgresSettings } from '../settings.js';

const DEBIAN = '/usr/lib/postgresql';
const START_MS = 30_000;
/** PostgreSQL refuses to run as root. */
const SERVER_USERS = ['postgres', 'nobody'];

/** The folder with `initdb` and `postgres`; undefined where PostgreSQL is not installed. */
function programs(): string | undefined {
  const versions = existsSync(DEBIAN) ? readdirSync(DEBIAN).sort((a, b) => Number(b) - Number(a)) : [];
  const folders = [...versions.map((version) => join(DEBIAN, version, 'bin')), '/usr/local/pgsql/bin', '/usr/bin'];
  return folders.find((folder) => existsSync(join(folder, 'initdb')) && existsSync(join(folder, 'postgres')));
}

/** Whether the tests on PostgreSQL can run here. With `CAUDEX_TEST_POSTGRES=required` its absence is an error. */
export function hasPostgres(): boolean {
  if (programs() !== undefined) return true;
  // eslint-disable-next-line no-restricted-properties -- a switch of the tests
  if (process.env['CAUDEX_TEST_POSTGRES'] === 'required') throw new Error(`There is no PostgreSQL below ${DEBIAN}`);
  return false;
}

/** `describe` for tests that need PostgreSQL; where it is missing, they are skipped and one line says so. */
export function describeWithPostgres(name: string, tests: () => void): void {
  if (hasPostgres()) return describe(name, tests);
  process.stderr.write(`${name}: skipped, because PostgreSQL is not installed\n`);
  describe.skip(name, tests);
}

interface ServerUser {
  uid?: number;
  gid?: number;
}

/** A PostgreSQL of its own for tests, on a free port, with its data in a temporary folder. */
export class PostgresServer {
  readonly port: number;
  private readonly dir: string;
  private readonly user: ServerUser;
  private readonly durable: boolean;
  private process: ChildProcess;
  private databases = 0;

  private constructor(dir: string, port: number, user: ServerUser, durable: boolean) {
    this.dir = dir;
    this.port = port;
    this.user = user;
    this.durable = durable;
    this.process = launch(dir, port, user, durable);
  }

  /** @param durable whether a commit waits for the disk, as it does outside of tests */
  static async start({ durable = false } = {}): Promise<PostgresServer> {
    const dir = mkdtempSync(join(tmpdir(), 'caudex-postgres-'));
    const user = serverUser();
    if (user.uid !== undefined && user.gid !== undefined) chownSync(dir, user.uid, user.gid);
    const initdb = [join(dir, 'data'), '-U', 'caudex', '-A', 'trust', '-E', 'UTF8', '--locale=C.UTF-8', '--no-sync'];
    execFileSync(join(programs() ?? '', 'initdb'), ['-D', ...initdb], { ...user, cwd: dir, stdio: 'pipe' });
    const port = await freePort();
    const server = new PostgresServer(dir, port, user, durable);
    await server.answers();
    return server;
  }

  /** The URL of a database. */
  urlOf(database: string): string {
    return `postgres://caudex@127.0.0.1:${this.port}/${database}`;
  }

  /** Makes an empty database, and returns its URL. */
  async newDatabase(): Promise<string> {
    const database = `test_${++this.databases}`;
    await this.query(`CREATE DATABASE ${database}`);
    return this.urlOf(database);
  }

  /** Runs a statement as superuser. */
  async query(sql: string, database = 'postgres'): Promise<Record<string, unknown>[]> {
    const client = new pg.Client(this.urlOf(database));
    await client.connect();
    try {
      return (await client.query<Record<string, unknown>>(sql)).rows;
    } finally {
      await client.end();
    }
  }

  /** Ends the server: SIGINT disconnects its clients, SIGQUIT is like a crash. */
  async halt(signal: 'SIGINT' | 'SIGQUIT' = 'SIGINT'): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    const ended = once(this.process, 'exit');
    this.process.kill(signal);
    await ended;
  }

  async resume(): Promise<void> {
    this.process = launch(this.dir, this.port, this.user, this.durable);
    await this.answers();
  }

  /** Ends it and removes its data. */
  async stop(): Promise<void> {
    await this.halt('SIGQUIT');
    rmSync(this.dir, { recursive: true, force: true });
  }

  private async answers(): Promise<void> {
    const endMs = performance.now() + START_MS;
    for (;;) {
      try {
        return void (await this.query('SELECT 1'));
      } catch (error) {
        if (performance.now() > endMs) throw error;
        await sleep(50);
      }
    }
  }
}

/** Settings with short limits. */
export function testSettings(url: string): PostgresSettings {
  return {
    url,
    ...{ max_connections: 5, connect_timeout_ms: 1000, statement_timeout_ms: 2000, lock_timeout_ms: 1500 },
    ...{ idle_ms: 10_000, replica_beat_ms: 50, replica_timeout_ms: 500 },
  };
}

function launch(dir: string, port: number, user: { uid?: number; gid?: number }, durable: boolean): ChildProcess {
  const settings = [
    `fsync=${durable ? 'on' : 'off'}`,
    'unix_socket_directories=',
    'max_connections=200',
    'listen_addresses=127.0.0.1',
  ];
  const options = ['-D', join(dir, 'data'), '-p', String(port), ...settings.flatMap((setting) => ['-c', setting])];
  return spawn(join(programs() ?? '', 'postgres'), options, { ...user, cwd: dir, stdio: 'ignore' });
}

function serverUser(): ServerUser {
  if (process.getuid?.() !== 0) return {};
  for (const name of SERVER_USERS) {
    try {
      const [uid, gid] = ['-u', '-g'].map((option) => Number(execFileSync('id', [option, name], { stdio: 'pipe' })));
      return { uid: uid, gid: gid };
    } catch {
      // The next one.
    }
  }
  throw new Error('PostgreSQL does not run as root, and there is no other user to run it');
}
