// Measures one document, one turn and one search of a filesystem server on SQLite and on PostgreSQL: two processes on the
// same disk, called in turns. Commits wait for the disk in both.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { PostgresServer } from '../src/storage/postgres/testing/postgres-server.ts';

const { values } = parseArgs({
  options: { documents: { type: 'string', default: '600' }, rounds: { type: 'string', default: '6' } },
});
const DOCUMENTS = Number(values.documents);
const ROUNDS = Number(values.rounds);
const CALLERS = 8;
const TOKEN = 'a-token-of-the-bench-that-is-long-enough-for-anything';
const WORDS = [
  'harbour',
  'lantern',
  'orchard',
  'meadow',
  'granite',
  'violin',
  'kettle',
  'compass',
  'saddle',
  'thimble',
];

class Server {
  private readonly child: ChildProcess;
  private url = '';

  constructor(
    readonly name: string,
    env: Record<string, string>,
  ) {
    const base = { PATH: process.env['PATH'] ?? '', NODE_ENV: 'test', PORT: '0', LOG_LEVEL: 'error' };
    this.child = spawn(
      process.execPath,
      ['--no-warnings', join(import.meta.dirname, '../dist/main.js'), 'filesystem'],
      {
        env: { ...base, INTERNAL_SERVICE_TOKEN: TOKEN, ...env },
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      },
    );
  }

  async ready(): Promise<void> {
    const [{ port }] = (await once(this.child, 'message')) as [{ port: number }];
    this.url = `http://127.0.0.1:${port}`;
  }

  async call(method: string, path: string, body: unknown): Promise<void> {
    const response = await fetch(this.url + path, {
      method,
      headers: { 'x-internal-token': TOKEN, 'x-user-id': 'ada', 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    await response.arrayBuffer();
  }

  async end(): Promise<void> {
    const gone = once(this.child, 'exit');
    this.child.kill('SIGTERM');
    await gone;
  }
}

const textOf = (n: number) =>
  `# Note ${n}\n\n${Array.from({ length: 120 }, (_, k) => WORDS[(n * 7 + k * 3 + ((n * k) % 5)) % WORDS.length]).join(' ')}.\n`;

const WORK: Record<string, (server: Server, n: number) => Promise<void>> = {
  'PUT of a document': (server, n) =>
    server.call('PUT', `/projects/p/document?path=note-${n}.md`, {
      ...{ version: `v${n}`, media_type: 'text/markdown', text: textOf(n) },
    }),
  'turn appended': (server, n) =>
    server.call('PUT', `/conversations/c${n % 20}/turns`, {
      project_id: 'p',
      turn: {
        ...{ message_id: `m${n}`, created_at: new Date(n).toISOString(), question: 'Which note was it?' },
        answer: { text: textOf(n), state: 'complete', metadata: { model: 'extractive' } },
      },
    }),
  search: (server, n) =>
    server.call('POST', '/projects/p/search', { query: `${WORDS[n % 10]} ${WORDS[(n * 3 + 1) % 10]}`, limit: 10 }),
};

/** The times of `count` calls in ms, and how many were made in a second. */
async function measure(server: Server, work: (typeof WORK)[string], from: number, count: number, callers: number) {
  const times: number[] = [];
  let next = from;
  const beganMs = performance.now();
  const caller = async () => {
    while (next < from + count) {
      const startedMs = performance.now();
      await work(server, next++);
      times.push(performance.now() - startedMs);
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
  return { times, perSecond: (count * 1000) / (performance.now() - beganMs) };
}

const median = (numbers: number[]) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;

const dir = mkdtempSync(join(tmpdir(), 'caudex-bench-'));
const postgres = await PostgresServer.start({ durable: true });
const servers = [
  new Server('SQLite', { DATA_DIR: join(dir, 'sqlite') }),
  new Server('PostgreSQL', { DATA_DIR: join(dir, 'postgres'), DATABASE_URL: await postgres.newDatabase() }),
];
try {
  await Promise.all(servers.map((server) => server.ready()));
  for (const server of servers) await server.call('POST', '/projects', { project_id: 'p', name: 'Notes' });
  console.log(
    `${DOCUMENTS} documents, turns and searches for each; ${ROUNDS} rounds in turns; 1 caller, then ${CALLERS}\n`,
  );
  console.log('| work | callers | SQLite p50 | PostgreSQL p50 | ratio | SQLite per s | PostgreSQL per s |');
  console.log('| --- | --- | --- | --- | --- | --- | --- |');
  let from = 0;
  for (const [name, work] of Object.entries(WORK)) {
    for (const callers of [1, CALLERS]) {
      const count = Math.ceil(DOCUMENTS / ROUNDS / 2);
      const found = servers.map(() => ({ times: [] as number[], rates: [] as number[] }));
      for (let round = 0; round < ROUNDS; round++, from += count) {
        for (const [i, server] of servers.entries()) {
          const { times, perSecond } = await measure(server, work, from, count, callers);
          found[i]?.times.push(...times);
          found[i]?.rates.push(perSecond);
        }
      }
      const [one, other] = found.map(({ times }) => median(times)) as [number, number];
      const [oneRate, otherRate] = found.map(({ rates }) => median(rates)) as [number, number];
      console.log(
        `| ${name} | ${callers} | ${one.toFixed(1)} ms | ${other.toFixed(1)} ms | ${(other / one).toFixed(2)} | ${oneRate.toFixed(0)} | ${otherRate.toFixed(0)} |`,
      );
    }
  }
} finally {
  await Promise.all(servers.map((server) => server.end()));
  await postgres.stop();
  rmSync(dir, { recursive: true });
}
