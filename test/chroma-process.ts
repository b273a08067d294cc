import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { SAMPLE_SERVICE_TOKEN } from '../src/config/config.loader.js';
import type { Passage } from '../src/contract/passage.contract.js';

const MAIN = join(process.env['CAUDEX_DIST'] ?? join(import.meta.dirname, '../dist'), 'main.js');

export interface QueryAnswer {
  results: Passage[];
  total: number;
  source: string;
  passages: number;
  not_embedded?: string;
}

/** The real server with a real ChromaDB, in a separate process. */
export class ChromaServer {
  private child: ChildProcess | undefined;
  private url = '';
  private output = '';
  constructor(
    readonly dataDir: string,
    private readonly settings: Record<string, string> = {},
  ) {}

  async start(): Promise<this> {
    const env = { PATH: process.env['PATH'], NODE_ENV: 'test', PORT: '0', LOG_LEVEL: 'info', DATA_DIR: this.dataDir };
    this.output = '';
    started.push(this);
    this.child = fork(MAIN, ['chroma'], { env: { ...env, ...this.settings }, silent: true });
    this.child.stdout?.on('data', (text: Buffer) => (this.output += text.toString()));
    this.child.stderr?.on('data', (text: Buffer) => (this.output += text.toString()));
    const [message] = (await Promise.race([
      once(this.child, 'message'),
      once(this.child, 'exit').then(() => Promise.reject(new Error(this.output))),
    ])) as [{ port: number }];
    this.url = `http://127.0.0.1:${message.port}`;
    return this;
  }

  /** The number of lines in the log that contain `text`. */
  logged(text: string): number {
    return this.output.split('\n').filter((line) => line.includes(text)).length;
  }

  /** Of the ChromaDB that was started last. */
  get chromadbPid(): number {
    return Number([...this.output.matchAll(/"pid":(\d+)[^\n]*ChromaDB is up/g)].at(-1)?.[1]);
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    if (this.child === undefined || this.child.exitCode !== null || this.child.signalCode !== null) return;
    this.child.kill(signal);
    await once(this.child, 'exit');
  }

  async request(method: string, path: string, body?: unknown, user = 'ann'): Promise<Response> {
    return fetch(this.url + path, {
      method,
      headers: {
        'x-internal-token': SAMPLE_SERVICE_TOKEN,
        'x-user-id': user,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }

  async call<T = Record<string, unknown>>(method: string, path: string, body?: unknown, user?: string): Promise<T> {
    const response = await this.request(method, path, body, user);
    const answer = (await response.json()) as T;
    if (!response.ok) throw new Error(`${method} ${path}: ${JSON.stringify(answer)}`);
    return answer;
  }

  upsert(project: string, path: string, text: string, version = 'v1', user?: string) {
    const body = { project_id: project, path, version, title: path, media_type: 'text/plain', text };
    return this.call<{ passages: number }>('POST', '/documents', body, user);
  }

  query(project: string, query: string, mode = 'hybrid', user?: string) {
    return this.call<QueryAnswer>('POST', '/query', { project_id: project, query, mode, limit: 10 }, user);
  }

  async found(project: string, query: string, mode?: string, user?: string): Promise<string[]> {
    return (await this.query(project, query, mode, user)).results.map((passage) => passage.document);
  }
}

export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string,
  limitMs = 15_000,
): Promise<void> {
  const end = performance.now() + limitMs;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`waited ${limitMs} ms for ${what}`);
    await wait(20);
  }
}

const dirs: string[] = [];
/** Includes servers that a failed test left running. */
const started: ChromaServer[] = [];
export function temporaryDir(): string {
  const dir = mkdtempSync(join(tmpdir(), 'caudex-chroma-'));
  dirs.push(dir);
  return dir;
}
afterAll(async () => {
  await Promise.all(started.map((server) => server.end('SIGKILL')));
  for (const dir of dirs) rmSync(dir, { recursive: true, force: true });
});
