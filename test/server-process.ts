import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { SAMPLE_SERVICE_TOKEN } from '../src/config/config.loader.js';
import type { AppName } from '../src/config/config.schema.js';
import { HEADER } from '../src/contract/endpoint.js';
import type { Answer } from './server-under-test.js';

const ROOT = join(import.meta.dirname, '..');

/** One of the processes of Caudex, run from its sources on a free port. */
export class ServerProcess {
  private constructor(
    private readonly child: ChildProcess,
    readonly url: string,
  ) {}

  /** @param settings environment variables */
  static async start(name: AppName, settings: Record<string, string>): Promise<ServerProcess> {
    const child = spawn(process.execPath, ['--import', './test/typescript.mjs', 'src/main.ts', name], {
      cwd: ROOT,
      env: { PATH: process.env['PATH'], NODE_ENV: 'test', PORT: '0', LOG_LEVEL: 'error', ...settings },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    const [message] = (await Promise.race([
      once(child, 'message'),
      once(child, 'exit').then(([code]) => Promise.reject(new Error(`${name} ended with ${code} before it was ready`))),
    ])) as [{ port: number }];
    return new ServerProcess(child, `http://127.0.0.1:${message.port}`);
  }

  /** Rejects where the process ends before its answer. */
  async call(method: string, path: string, user: string, body?: unknown): Promise<Answer> {
    const response = await fetch(this.url + path, {
      method,
      headers: {
        [HEADER.internalToken]: SAMPLE_SERVICE_TOKEN,
        [HEADER.userId]: user,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  }

  /** Sends the signal and resolves when the process has ended. */
  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const gone = once(this.child, 'exit');
    this.child.kill(signal);
    await gone;
  }
}
