import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { childEnvironment } from '../config/config.loader.js';
import type { AppName } from '../config/config.schema.js';

const MAIN = join(import.meta.dirname, '../main.js');
const NAME_WIDTH = 'filesystem'.length;

/** One app in a process of its own; its output is printed line by line, prefixed with its name. */
export class ChildApp {
  /** Rejects when the process ends before it is ready. */
  readonly ready: Promise<void>;
  /** How the process ended: its signal or exit code. */
  readonly ended: Promise<string>;
  private readonly process: ChildProcess;

  constructor(
    readonly name: AppName,
    port: number,
  ) {
    // In a process group of its own, so that the terminal's Ctrl-C reaches the launcher only, which stops the processes in order.
    this.process = fork(MAIN, [name], {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: childEnvironment({ PORT: String(port) }),
    });
    this.print(this.process.stdout, process.stdout);
    this.print(this.process.stderr, process.stderr);
    this.ended = new Promise((resolve) => {
      this.process.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`));
    });
    this.ready = new Promise((resolve, reject) => {
      this.process.once('message', () => resolve());
      void this.ended.then((how) => reject(new Error(`${name} could not start (${how}), so nothing was started`)));
    });
    this.ready.catch(() => undefined);
  }

  signal(signal: NodeJS.Signals): void {
    this.process.kill(signal);
  }

  /** Sends SIGTERM, and SIGKILL after `graceMs`. */
  async stop(graceMs: number): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    this.process.kill('SIGTERM');
    const timer = setTimeout(() => this.process.kill('SIGKILL'), graceMs);
    await this.ended;
    clearTimeout(timer);
  }

  private print(from: Readable | null, to: NodeJS.WriteStream): void {
    if (from === null) return;
    createInterface({ input: from }).on('line', (line) => to.write(`${this.name.padEnd(NAME_WIDTH)} | ${line}\n`));
  }
}
