// Measures the rate of ingestion: stored, searchable and in the history, as one zip, by `caudex sync` and one by one from several
// callers, beside the rates of the parts alone for the same files on the same disk in the same run.
import { execFile, execFileSync } from 'node:child_process';
import { closeSync, fsyncSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { parseArgs, promisify } from 'node:util';
import { strToU8, zipSync } from 'fflate';
import { APPS, Caudex, type Person, until } from '../test/system/caudex.ts';
import { inParallel } from './api.ts';
import { chromadbAlone } from './chromadb-alone.ts';
import { type ProcessorTime, processorTimes } from './process-time.ts';

const { values } = parseArgs({
  options: {
    notes: { type: 'string', default: '1000' },
    callers: { type: 'string', default: '8' },
    ways: { type: 'string', default: 'zip,sync,single' },
  },
});
const NOTES = Number(values.notes);
const CALLERS = Number(values.callers);
const WAYS = values.ways.split(',');
const MAIN = join(import.meta.dirname, '../dist/main.js');
/** Longer than any valid run. */
const LIMIT_MS = 600_000;
/** The interval of the questions for the progress of index and history. */
const POLL_MS = 100;

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
const note = (i: number) => {
  const words = Array.from({ length: 120 }, (_, k) => WORDS[(i * 7 + k * 3 + ((i * k) % 5)) % WORDS.length]);
  return `# Note ${i}\n\nWritten on day ${i % 365}. ${words.join(' ')}.\n`;
};
const files = Array.from({ length: NOTES }, (_, i) => ({ path: `folder-${i % 40}/note-${i}.md`, text: note(i) }));

interface Rates {
  /** Documents per second until the last one was acknowledged. */
  stored: number;
  /** Documents per second until the last one was in the index. */
  searchable: number;
  /** Seconds from the last acknowledgement until the history was complete. */
  historyS: number;
  costs: string;
}

/** Prepares to send all files to a project, as far as a client has them before: its archive, its folder. */
type Way = (person: Person, project: string) => Promise<() => Promise<void>>;

/** The rates of one way to send all files. */
async function ingest(person: Person, way: Way): Promise<Rates> {
  const project = await person.project();
  const send = await way(person, project);
  const beganMs = performance.now();
  const path = `/v1/api/projects/${project}`;
  const before = processTimes();
  await send();
  const storedMs = performance.now();
  let searchableMs = 0;
  let historyMs = 0;
  await until(
    'index and history are complete',
    async () => {
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      if (searchableMs === 0) {
        const { documents, queued } = await person.get<{ documents: number; queued: number }>(`${path}/index`);
        if (documents === NOTES && queued === 0) searchableMs = performance.now();
      }
      if (historyMs === 0) {
        const { total } = await person.get<{ total: number }>(`${path}/history?limit=1`);
        if (total === NOTES) historyMs = performance.now();
      }
      return searchableMs > 0 && historyMs > 0;
    },
    LIMIT_MS,
  );
  const spent = costs(before);
  await until(
    'the embedder is trained, which would slow down the next way',
    async () => (await person.get<{ stale_passages: number }>(`${path}/index`)).stale_passages === 0,
    LIMIT_MS,
  );
  return {
    stored: perSecond(storedMs - beganMs),
    searchable: perSecond(searchableMs - beganMs),
    historyS: Math.max(0, historyMs - storedMs) / 1000,
    costs: spent,
  };
}

/** Of the servers and of the client, which is this process and the command that it starts. */
function processTimes(): ProcessorTime[] {
  const servers = processorTimes(APPS.map((app) => system.pid(app)));
  const [all] = processorTimes([process.pid]);
  const ofServers = servers.reduce((sum, { own, children }) => sum + own + children, 0);
  return [...servers, { own: all?.own ?? NaN, children: (all?.children ?? NaN) - ofServers }];
}

/** The processor time for each document, by process. */
function costs(before: readonly ProcessorTime[]): string {
  const each = (ms: number) => (ms / NOTES).toFixed(2);
  const spent = processTimes().map(({ own, children }, i) => ({
    own: own - (before[i]?.own ?? NaN),
    children: children - (before[i]?.children ?? NaN),
  }));
  const parts = spent.map(({ own, children }, i) => {
    const started = children >= NOTES / 100 ? ` + ${each(children)}` : '';
    return `${APPS[i] ?? 'client'} ${each(own)}${started}`;
  });
  const sum = spent.reduce((total, { own, children }) => total + own + children, 0);
  return `${each(sum)} ms of processor time for each document (${parts.join(', ')}; behind a + that of child processes)`;
}

const zip: Way = async (person, project) => {
  const archive = zipSync(Object.fromEntries(files.map(({ path, text }) => [path, strToU8(text)])));
  return async () => {
    const answer = await person.request('POST', `/v1/api/projects/${project}/documents`, archive, {
      'content-type': 'application/zip',
    });
    const { stored } = (await answer.json()) as { stored: number };
    if (stored !== NOTES) throw new Error(`${stored} of ${NOTES} documents were stored`);
  };
};

/** With the start of the command and the reading of the folder. */
const sync: Way = async (person, project) => {
  const folder = mkdtempSync(join(dir, 'sync-'));
  for (const { path, text } of files) {
    mkdirSync(join(folder, path, '..'), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  const { key } = await person.post<{ key: string }>('/v1/api/keys', { name: 'sync', scopes: ['read', 'write'] }, 201);
  const env = { PATH: process.env['PATH'], CAUDEX_URL: system.url, CAUDEX_API_KEY: key };
  return async () => {
    await promisify(execFile)(process.execPath, [MAIN, 'sync', folder, '--project', project, '--once'], {
      ...{ env, maxBuffer: 64 * 1024 * 1024 },
    });
  };
};

const single: Way = async (person, project) => async () => {
  await inParallel(files, CALLERS, async ({ path, text }) => {
    await person.upload(project, path, text);
  });
};

const perSecond = (ms: number) => NOTES / (ms / 1000);
const timed = (work: () => void) => {
  const beganMs = performance.now();
  work();
  return perSecond(performance.now() - beganMs);
};

/** Files per second of the parts alone; each makes its acknowledged writes durable. */
async function alone(dir: string): Promise<{ name: string; rate: number }[]> {
  const tree = join(dir, 'tree');
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=x', '-c', 'user.email=x@example.org', '-c', 'core.fsync=all', ...args], {
      cwd: tree,
    });
  const disk = timed(() => {
    for (const { path, text } of files) {
      mkdirSync(join(tree, path, '..'), { recursive: true });
      const file = openSync(join(tree, path), 'w');
      writeSync(file, text);
      fsyncSync(file);
      closeSync(file);
    }
  });
  git('init', '--quiet');
  const commit = timed(() => {
    git('add', '.');
    git('commit', '--quiet', '-m', 'all');
  });
  const db = new DatabaseSync(join(dir, 'alone.db'));
  db.exec(
    'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE files (path TEXT PRIMARY KEY, text TEXT)',
  );
  const insert = db.prepare('INSERT INTO files VALUES (?, ?)');
  const sqlite = timed(() => files.forEach(({ path, text }) => insert.run(path, text)));
  db.close();
  const chromadb = await chromadbAlone(join(dir, 'chromadb'), NOTES);
  return [
    { name: 'disk (write and fsync of each file)', rate: disk },
    { name: 'git (add and one commit)', rate: commit },
    { name: 'SQLite (one transaction for each file)', rate: sqlite },
    ...(chromadb === undefined ? [] : [{ name: 'ChromaDB (upserts of 200 vectors)', rate: chromadb }]),
  ];
}

const dir = mkdtempSync(join(tmpdir(), 'caudex-ingest-'));
const parts = await alone(dir);
const slowest = Math.min(...parts.map(({ rate }) => rate));
console.log(`${NOTES} notes of ${Buffer.byteLength(note(0))} bytes`);
for (const { name, rate } of parts) console.log(`  ${name}: ${rate.toFixed(0)} files/s`);

const system = await Caudex.start({}, { quick: false });
try {
  const person = await system.signUp();
  const ways = [
    { option: 'zip', name: 'one zip', way: zip },
    { option: 'sync', name: 'caudex sync', way: sync },
    { option: 'single', name: `single uploads, ${CALLERS} callers`, way: single },
  ];
  for (const { name, way } of ways.filter(({ option }) => WAYS.includes(option))) {
    const { stored, searchable, historyS, costs } = await ingest(person, way);
    const ratio = (rate: number) => `${rate.toFixed(0)}/s (${(slowest / rate).toFixed(1)} x the slowest part's time)`;
    console.log(`${name}: stored ${ratio(stored)}, searchable ${ratio(searchable)}`);
    console.log(`${name}: history complete ${historyS.toFixed(1)} s after the last was stored`);
    console.log(`${name}: ${costs}`);
  }
} finally {
  await system.stop();
  rmSync(dir, { recursive: true });
}
