import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

const APPS = ['auth', 'filesystem', 'chroma', 'billing', 'git', 'backend'] as const;
export type App = (typeof APPS)[number];
const MAIN = join(import.meta.dirname, '../dist/main.js');
/** What `NODE_ENV=test` uses between the servers. */
export const SAMPLE_TOKEN = 'caudex-sample-service-token-for-development-only';
const READY_MS = 30_000;
const STOP_MS = 10_000;

/** The whole system as six processes on free ports, with a data folder of its own that is gone when it stops. */
export class RunningSystem {
  private readonly took = new Map<App, number>();
  private readonly children = new Map<App, ChildProcess>();
  readonly dataDir = mkdtempSync(join(tmpdir(), 'caudex-bench-'));
  private readonly ports: ReadonlyMap<App, number>;
  private readonly settings: Record<string, string>;

  private constructor(ports: ReadonlyMap<App, number>, settings: Record<string, string>) {
    this.ports = ports;
    this.settings = settings;
  }

  static async start(settings: Record<string, string> = {}): Promise<RunningSystem> {
    const ports = new Map<App, number>();
    // All at once, so that none is given twice.
    await Promise.all(APPS.map(async (app) => ports.set(app, await freePort())));
    const system = new RunningSystem(ports, settings);
    try {
      await Promise.all(APPS.map((app) => system.launch(app, settings)));
    } catch (error) {
      await system.stop();
      throw error;
    }
    return system;
  }

  url(app: App = 'backend'): string {
    return `http://127.0.0.1:${this.ports.get(app)}`;
  }

  /** How long the process took until it answered that it is ready. */
  readyMs(app: App): number {
    return this.took.get(app) ?? NaN;
  }

  pid(app: App): number {
    return this.children.get(app)?.pid ?? NaN;
  }

  /** Starts one process anew beside the others. */
  async restart(app: App): Promise<void> {
    await this.end(app, 'SIGTERM');
    await this.launch(app, this.settings);
  }

  async kill(app: App): Promise<void> {
    await this.end(app, 'SIGKILL');
  }

  async stop(): Promise<void> {
    await Promise.all(APPS.map((app) => this.end(app, 'SIGTERM')));
    rmSync(this.dataDir, { recursive: true, force: true });
  }

  private async launch(app: App, settings: Record<string, string>): Promise<void> {
    const urls = APPS.map((name): [string, string] => [`${name.toUpperCase()}_SERVER_URL`, this.url(name)]);
    const child = spawn(process.execPath, [MAIN, app], {
      env: {
        PATH: process.env['PATH'],
        NODE_ENV: 'test',
        DATA_DIR: this.dataDir,
        CAUDEX__RATE_LIMIT__ENABLED: 'false',
        ...Object.fromEntries(urls),
        ...settings,
        PORT: String(this.ports.get(app)),
      },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    this.children.set(app, child);
    const beganMs = performance.now();
    const limit = beganMs + READY_MS;
    for (;;) {
      const ready = await fetch(`${this.url(app)}/health/ready`).catch(() => undefined);
      if (ready?.ok) {
        this.took.set(app, performance.now() - beganMs);
        return;
      }
      if (child.exitCode !== null) throw new Error(`${app} ended with exit code ${child.exitCode}; was it built?`);
      if (performance.now() > limit) throw new Error(`${app} was not ready after ${READY_MS} ms`);
      await wait(50);
    }
  }

  private async end(app: App, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const child = this.children.get(app);
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    await ended;
    clearTimeout(timer);
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
