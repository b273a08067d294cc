import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RedisLink } from '../redis-link.js';

const REDIS = 'redis-server';
/** Longer than the default, because tests share their processors. */
const PATIENCE_MS = 200;
const silent = { info: () => undefined, warn: () => undefined };

export const hasRedis = () => spawnSync(REDIS, ['--version']).error === undefined;

/** `describe`, skipped where there is no Redis. */
export function describeWithRedis(title: string, tests: () => void): void {
  if (hasRedis()) return describe(title, tests);
  console.warn(`${REDIS} is not on the PATH: "${title}" is skipped`);
  describe.skip(title, tests);
}

export async function eventually(probe: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    if (await probe()) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error('the condition did not become true within 5 s');
}

/** A real Redis on a free port. */
export class RealRedis {
  private process: ChildProcess | undefined;
  private readonly links: RedisLink[] = [];

  private constructor(
    private readonly port: number,
    private readonly dir: string,
  ) {}

  static async start(): Promise<RealRedis> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    server.close();
    const redis = new RealRedis(port, mkdtempSync(join(tmpdir(), 'caudex-redis-')));
    await redis.start();
    return redis;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  async start(): Promise<void> {
    const args = ['--port', String(this.port), '--bind', '127.0.0.1', '--dir', this.dir, '--save', '1 1'];
    this.process = spawn(REDIS, args, { stdio: 'ignore' });
    await eventually(
      () =>
        new Promise((resolve) => {
          const socket = connect(this.port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false));
          socket.end();
        }),
    );
  }

  /** SIGSTOP makes it hang until SIGCONT. */
  signal(signal: NodeJS.Signals): void {
    this.process?.kill(signal);
  }

  async stop(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const { process } = this;
    if (process === undefined || process.exitCode !== null || process.signalCode !== null) return;
    process.kill(signal);
    await once(process, 'exit');
  }

  /** The connection of one backend. */
  async link(): Promise<RedisLink> {
    const link = new RedisLink({ url: this.url, password: undefined }, PATIENCE_MS, silent);
    this.links.push(link);
    await eventually(async () => link.isUsable);
    return link;
  }

  async closeLinks(): Promise<void> {
    await Promise.all(this.links.splice(0).map((link) => link.close()));
  }

  async remove(): Promise<void> {
    await this.closeLinks();
    await this.stop();
    rmSync(this.dir, { recursive: true });
  }
}
