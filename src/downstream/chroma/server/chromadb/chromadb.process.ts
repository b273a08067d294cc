import { type ChildProcess, fork } from 'node:child_process';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { PinoLogger } from 'nestjs-pino';
import { StartError } from '../../../../config/start-error.js';
import { freePort } from '../../../../storage/free-port.js';

const START_TIMEOUT_MS = 10_000;
const PROBE_INTERVAL_MS = 25;
const FIRST_BACKOFF_MS = 250;
const MAX_BACKOFF_MS = 10_000;
/** After a run of this length the next crash is followed by an immediate restart again. */
const GOOD_RUN_MS = 30_000;
/** Another process can take a port between its choice and the moment at which ChromaDB listens. */
const MAX_PORTS = 5;

/**
 * A ChromaDB that belongs to this server: started, supervised, restarted when it ends, and ended together with this
 * process.
 */
export class ChromadbProcess {
  /** The address of ChromaDB; undefined while it is not ready. */
  url: string | undefined;
  private child: ChildProcess | undefined;
  private stopped = false;
  private backoffMs = FIRST_BACKOFF_MS;

  constructor(
    private readonly dir: string,
    private readonly log: PinoLogger,
    private readonly onUp: () => void,
  ) {}

  /** @throws StartError with instructions, where it cannot be started at all */
  async start(): Promise<void> {
    const binding = bindingFor(process.platform, process.arch);
    for (let tries = 1; ; tries++) {
      try {
        return await this.launch(binding);
      } catch (error) {
        if (tries === MAX_PORTS || !/address.* in use/i.test((error as Error).message)) throw error;
      }
    }
  }

  stop(): void {
    this.stopped = true;
    this.url = undefined;
    this.child?.kill('SIGKILL');
  }

  private async launch(binding: string): Promise<void> {
    const port = await freePort();
    const child = fork(join(import.meta.dirname, 'chromadb-child.js'), [this.dir, String(port), binding], {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      execArgv: [],
    });
    this.child = child;
    let lastWords = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (lastWords = (lastWords + text).slice(-2000)));
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    const url = `http://127.0.0.1:${port}`;
    const startedAt = performance.now();
    // An answer can also come from the other process that took the port; then the child ends.
    const answered = await Promise.race([answers(url), ended.then(() => false)]);
    if (!answered || child.exitCode !== null) {
      child.kill('SIGKILL');
      throw new StartError(`ChromaDB did not start on ${this.dir}: ${lastWords.trim() || 'no reason was given'}`);
    }
    this.url = url;
    this.log.info(
      { chromadb: url, pid: child.pid },
      `ChromaDB is up after ${Math.round(performance.now() - startedAt)} ms`,
    );
    void ended.then(() => this.revive(binding, performance.now() - startedAt));
    this.onUp();
  }

  private async revive(binding: string, ranForMs: number): Promise<void> {
    this.url = undefined;
    if (ranForMs > GOOD_RUN_MS) this.backoffMs = FIRST_BACKOFF_MS;
    while (!this.stopped) {
      this.log.error(`ChromaDB ended; starting it again in ${this.backoffMs} ms`);
      await wait(this.backoffMs, undefined, { ref: false });
      this.backoffMs = Math.min(MAX_BACKOFF_MS, this.backoffMs * 2);
      if (this.stopped) return;
      try {
        return await this.launch(binding);
      } catch (error) {
        this.log.error((error as Error).message);
      }
    }
  }
}

/** The package with ChromaDB for this machine. @throws StartError where it is not installed */
function bindingFor(platform: string, arch: string): string {
  const suffix = { linux: '-gnu', win32: '-msvc' }[platform] ?? '';
  const name = `chromadb-js-bindings-${platform}-${arch}${suffix}`;
  try {
    // It is an optional dependency of chromadb and is resolved from there.
    return createRequire(createRequire(import.meta.url).resolve('chromadb')).resolve(name);
  } catch {
    throw new StartError(
      `ChromaDB's binary for ${platform} ${arch} (the package ${name}) is missing: run "npm ci" without --omit=optional, or set CHROMADB_URL to a ChromaDB that runs elsewhere`,
    );
  }
}

async function answers(url: string): Promise<boolean> {
  const until = performance.now() + START_TIMEOUT_MS;
  while (performance.now() < until) {
    const response = await fetch(`${url}/api/v2/heartbeat`).catch(() => undefined);
    await response?.body?.cancel();
    if (response?.ok) return true;
    await wait(PROBE_INTERVAL_MS);
  }
  return false;
}
