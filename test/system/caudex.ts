import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../free-port.js';

export const APPS = ['auth', 'filesystem', 'chroma', 'billing', 'git', 'backend'] as const;
export type App = (typeof APPS)[number];

const MAIN = join(process.env['CAUDEX_DIST'] ?? join(import.meta.dirname, '../../dist'), 'main.js');
const READY_MS = 45_000;
const STOP_MS = 15_000;

/** Polls `probe` until it returns a value; fails with `what` after `limitMs`. */
export async function until<T>(
  what: string,
  probe: () => Promise<T | undefined | false>,
  limitMs = 15_000,
): Promise<T> {
  const endMs = performance.now() + limitMs;
  for (;;) {
    const found = await probe().catch(() => undefined);
    if (found !== undefined && found !== false) return found;
    if (performance.now() > endMs) throw new Error(`waited ${limitMs} ms in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

interface StartOptions {
  /** false: the waits of config/default.yaml, and the output of the processes is not collected. */
  quick?: boolean;
  apps?: readonly App[];
}

/** The whole system: six real processes on free ports, with a separate data folder. For tests and benches. */
export class Caudex {
  readonly output: string[] = [];
  readonly ports: Readonly<Record<App, number>>;
  readonly dataDir: string;
  private readonly env: Record<string, string>;
  private readonly quick: boolean;
  private readonly processes = new Map<App, ChildProcess>();
  private readonly took = new Map<App, number>();

  private constructor(
    ports: Readonly<Record<App, number>>,
    dataDir: string,
    env: Record<string, string>,
    quick: boolean,
  ) {
    this.ports = ports;
    this.dataDir = dataDir;
    this.env = env;
    this.quick = quick;
  }

  /** @param env settings that differ; short waits are set already, so that no test sleeps for seconds */
  static async start(
    env: Record<string, string> = {},
    { quick = true, apps = APPS }: StartOptions = {},
  ): Promise<Caudex> {
    // All at the same time, so that each port is different.
    const ports = Object.fromEntries(
      await Promise.all(APPS.map(async (app) => [app, await freePort()] as const)),
    ) as Record<App, number>;
    const dataDir = await mkdtemp(join(tmpdir(), 'caudex-test-'));
    const services = APPS.filter((app) => app !== 'backend');
    const urls = services.map((app) => [`${app.toUpperCase()}_SERVER_URL`, `http://127.0.0.1:${ports[app]}`]);
    const shortWaits = services.flatMap((app) => [
      [`CAUDEX__DOWNSTREAM__${app.toUpperCase()}__RETRY_BASE_MS`, '50'],
      [`CAUDEX__DOWNSTREAM__${app.toUpperCase()}__RECOVERY_TIMEOUT_MS`, '500'],
    ]);
    const settings = {
      NODE_ENV: 'test',
      DATA_DIR: dataDir,
      HOST: '127.0.0.1',
      LOG_LEVEL: 'info',
      CAUDEX__RATE_LIMIT__ENABLED: 'false',
      // A busy machine may take longer than the default for a write to the disk.
      CAUDEX__CHAT__SAVE_WAIT_MS: '2000',
      ...(Object.fromEntries([...urls, ...(quick ? shortWaits : [])]) as Record<string, string>),
      ...env,
    };
    const caudex = new Caudex(ports, dataDir, settings, quick);
    try {
      await Promise.all(apps.map((app) => caudex.launch(app)));
    } catch (error) {
      await caudex.stop();
      throw error;
    }
    return caudex;
  }

  get url(): string {
    return this.urlOf('backend');
  }

  urlOf(app: App): string {
    return `http://127.0.0.1:${this.ports[app]}`;
  }

  pid(app: App): number {
    return this.processes.get(app)?.pid ?? NaN;
  }

  exitCode(app: App): number | null {
    return this.processes.get(app)?.exitCode ?? null;
  }

  /** Milliseconds from the last start of the process until it was ready. */
  readyMs(app: App): number {
    return this.took.get(app) ?? NaN;
  }

  /** @param env settings of this one process */
  async launch(app: App, env: Record<string, string> = {}): Promise<void> {
    const beganMs = performance.now();
    const child = spawn(process.execPath, [MAIN, app], {
      env: { PATH: process.env['PATH'], ...this.env, ...env, PORT: String(this.ports[app]) },
      // The process says over the IPC channel when it is ready; an answer at its port could come from another process.
      stdio: this.quick ? ['ignore', 'pipe', 'pipe', 'ipc'] : ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    this.processes.set(app, child);
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => this.output.push(chunk.toString()));
    }
    const patience = new AbortController();
    const first = { signal: AbortSignal.any([patience.signal, AbortSignal.timeout(READY_MS)]) };
    const outcome = await Promise.race([
      once(child, 'message', first).then(() => 'ready'),
      once(child, 'exit', first).then(() => `ended with ${child.exitCode}`),
    ]).catch(() => `was not ready after ${READY_MS} ms`);
    patience.abort();
    if (outcome !== 'ready') throw new Error(`${app} ${outcome}; it said: ${this.output.slice(-5).join('')}`);
    this.took.set(app, performance.now() - beganMs);
  }

  async kill(app: App, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const child = this.processes.get(app);
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    const late = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    await ended;
    clearTimeout(late);
  }

  async stop(): Promise<void> {
    await Promise.all(APPS.map((app) => this.kill(app, 'SIGTERM')));
    await rm(this.dataDir, { recursive: true, force: true });
  }

  async breaker(service: string): Promise<{ state: string; failure_count: number }> {
    const answer = await fetch(`${this.url}/v1/api/status/services`);
    const { services } = (await answer.json()) as {
      services: Record<string, { state: string; failure_count: number }>;
    };
    return services[service] as { state: string; failure_count: number };
  }

  /** A new account, signed in. */
  async signUp(email = `user${Math.random().toString(36).slice(2)}@example.org`): Promise<Person> {
    const password = 'correct horse battery';
    await new Person(this.url, '').post('/v1/api/auth/register', { email, password }, 201);
    const { token } = await new Person(this.url, '').post<{ token: string }>('/v1/api/auth/login', { email, password });
    return new Person(this.url, token);
  }
}

/** A user of the public API. A call with an unexpected status fails with the whole answer. */
export class Person {
  readonly url: string;
  readonly token: string;

  constructor(url: string, token: string) {
    this.url = url;
    this.token = token;
  }

  request(
    method: string,
    path: string,
    body?: string | FormData | Uint8Array<ArrayBuffer>,
    headers: Record<string, string> = {},
  ): Promise<Response> {
    return fetch(this.url + path, {
      method,
      headers: { ...(this.token === '' ? {} : { authorization: `Bearer ${this.token}` }), ...headers },
      ...(body === undefined ? {} : { body }),
    });
  }

  async post<T = Record<string, unknown>>(path: string, body: unknown, status = 200): Promise<T> {
    return expectStatus<T>(
      await this.request('POST', path, JSON.stringify(body), { 'content-type': 'application/json' }),
      status,
    );
  }

  async get<T = Record<string, unknown>>(path: string, status = 200): Promise<T> {
    return expectStatus<T>(await this.request('GET', path), status);
  }

  async delete(path: string, status = 204): Promise<void> {
    await expectStatus(await this.request('DELETE', path), status);
  }

  async project(name = 'Notes'): Promise<string> {
    return (await this.post<{ project_id: string }>('/v1/api/projects', { name }, 201)).project_id;
  }

  async upload(project: string, path: string, text: string, status = 201) {
    return expectStatus<{ path: string; version: string; bytes: number; indexed: string }>(
      await this.request('PUT', `/v1/api/projects/${project}/documents/${path}`, text, {
        'content-type': 'text/markdown',
      }),
      status,
    );
  }

  search(project: string, query: string, more: object = {}) {
    return this.post<SearchAnswer>('/v1/api/search', { query, project_id: project, ...more });
  }

  chat(project: string | undefined, message: string, more: object = {}) {
    return this.post<ChatAnswer>('/v1/api/chat', {
      message,
      ...(project === undefined ? {} : { project_id: project }),
      ...more,
    });
  }

  /** Every event of a streamed chat. */
  async chatStream(project: string | undefined, message: string, more: object = {}): Promise<StreamEvent[]> {
    const body = { message, stream: true, ...(project === undefined ? {} : { project_id: project }), ...more };
    const answer = await this.request('POST', '/v1/api/chat', JSON.stringify(body), {
      'content-type': 'application/json',
    });
    if (answer.status !== 200) throw new Error(`${answer.status}: ${await answer.text()}`);
    return parseEvents(await answer.text());
  }
}

export interface Degraded {
  degraded: boolean;
  degradation: { service: string; reason: string; fallback: string }[];
}
export interface SearchAnswer extends Degraded {
  results: { document: string; chunk: number; title: string; text: string; highlights: string[]; score: number }[];
  total: number;
  source: string;
  outcome: string;
}
export interface ChatAnswer extends Degraded {
  response: string;
  status: number;
  conversation_id: string;
  message_id: string;
  sources: { document: string; title: string; text: string }[];
  source: string;
  outcome: string;
  model: string;
  state: string;
  cached: boolean;
  saved: string;
  usage: { prompt_tokens: number; completion_tokens: number; credits: number };
}
export interface StreamEvent {
  id: number;
  data: { type: string; delta?: string; messageMetadata?: ChatAnswer; messageId?: string } | '[DONE]';
}

export function parseEvents(text: string): StreamEvent[] {
  return text
    .split('\n\n')
    .filter((block) => block.startsWith('id:'))
    .map((block) => {
      const [id, data] = block.split('\n') as [string, string];
      const json = data.slice('data: '.length);
      return { id: Number(id.slice(3)), data: json === '[DONE]' ? json : (JSON.parse(json) as StreamEvent['data']) };
    });
}

async function expectStatus<T>(answer: Response, status: number): Promise<T> {
  const text = await answer.text();
  if (answer.status !== status)
    throw new Error(`${answer.url} answered ${answer.status} instead of ${status}: ${text}`);
  return (text === '' ? undefined : JSON.parse(text)) as T;
}
