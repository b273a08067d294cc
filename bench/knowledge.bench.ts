// The limits of search over large projects: npm run bench:knowledge [-- --passages 100000]
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Api, inParallel, percentile } from './api.ts';
import { indexInChromadbAlone, indexThroughServer } from './index-rate.ts';
import { packageTexts, questions, shuffledTexts } from './real-text.ts';
import { SAMPLE_SERVICE_TOKEN } from '../dist/config/config.loader.js';
import { Caudex } from '../test/system/caudex.ts';

const SMALL = 10_000;
const QUESTIONS = 200;
const UPLOADS_AT_ONCE = 4;
/** The number of passages that a chat requests: its six, and the candidates for related documents. */
const CHAT_PASSAGES = 16;

const { values } = parseArgs({ options: { passages: { type: 'string', default: '100000' } } });
const large = Number(values.passages);
const texts = packageTexts();
const asked = questions(texts, QUESTIONS);
let failed = false;
/** Updated after each upload, to estimate when to stop the next one. */
let charsPerPassage = 800;

const system = await Caudex.start({}, { quick: false });
try {
  await rates();
  const api = await Api.signIn(system.url);
  const project = await api.createProject('Knowledge');
  const further = shuffledTexts(texts);
  let count = await upload(api, project, texts.values(), 0, SMALL);
  const small = await searched(api, project, count);
  while (count < large) count = await upload(api, project, further, count, large);
  const big = await searched(api, project, count);
  report('search p50, large / small project', big / small, 2, '×');
  await change(api, project);
  await chat(api, project);
} finally {
  await system.stop();
}
process.exitCode = failed ? 1 : 0;

async function rates(): Promise<void> {
  const ours = await indexThroughServer(system, texts, SMALL);
  const alone = await indexInChromadbAlone(ours.vectors);
  console.log(
    `indexed ${ours.passages} passages of real text: ${ours.perSecond.toFixed(0)}/s; ChromaDB alone, the same vectors: ${alone.toFixed(0)}/s`,
  );
  report('ChromaDB alone / our indexing rate', alone / ours.perSecond, 2, '×');
}

/** Uploads until the index holds `wanted` passages and its embedder is up with them; resolves to their number. */
async function upload(
  api: Api,
  project: string,
  from: Iterator<string>,
  begun: number,
  wanted: number,
): Promise<number> {
  const startedAt = performance.now();
  const documents: string[] = [];
  let chars = 0;
  while (chars / charsPerPassage < wanted - begun) {
    const { value: text, done } = from.next();
    if (done) break;
    chars += text.length;
    documents.push(text);
  }
  await inParallel(documents, UPLOADS_AT_ONCE, async (text, index) => {
    await api.putDocument(project, `${begun}-${index}.md`, text);
  });
  const uploadedAt = performance.now();
  const passages = await settled(api, project);
  charsPerPassage = chars / (passages - begun);
  const seconds = (from: number, to: number) => ((to - from) / 1000).toFixed(0);
  console.log(
    `${passages} passages: uploaded in ${seconds(startedAt, uploadedAt)} s, learned ${seconds(uploadedAt, performance.now())} s later`,
  );
  return passages;
}

async function settled(api: Api, project: string): Promise<number> {
  for (;;) {
    await wait(3000);
    const response = await fetch(`${system.urlOf('chroma')}/projects/${project}`, {
      headers: { 'x-internal-token': SAMPLE_SERVICE_TOKEN, 'x-user-id': api.userId },
    });
    const { passages, stale_passages } = (await response.json()) as { passages: number; stale_passages: number };
    if (stale_passages === 0) return passages;
  }
}

async function searched(api: Api, project: string, passages: number): Promise<number> {
  const ask = (query: string) => api.search({ project_id: project, query, limit: 10 });
  for (const query of asked.slice(0, 20)) await ask(query);
  const latencies: number[] = [];
  for (const query of asked) {
    const startedAt = performance.now();
    const { source } = await ask(query);
    latencies.push(performance.now() - startedAt);
    if (source !== 'hybrid') throw new Error(`a search was answered from ${source}`);
  }
  const p50 = percentile(latencies, 0.5);
  console.log(
    `search over ${passages} passages: p50 ${p50.toFixed(1)} ms, p95 ${percentile(latencies, 0.95).toFixed(1)} ms`,
  );
  return p50;
}

async function change(api: Api, project: string): Promise<void> {
  const startedAt = performance.now();
  await api.putDocument(project, 'news.md', 'The xyzzyquux has been seen near the river.');
  for (;;) {
    const { results, source } = await api.search({ project_id: project, query: 'xyzzyquux', limit: 1 });
    if (source === 'hybrid' && results[0]?.document === 'news.md') break;
    await wait(20);
  }
  report("a document's change searchable", (performance.now() - startedAt) / 1000, 2, ' s');
}

/**
 * Compares a chat without a model with the slowest of its dependencies, the query of its passages. The answer is complete when
 * its text has come. As JSON it comes with `saved: stored`, and so after two commits: told beside it.
 */
async function chat(api: Api, project: string): Promise<void> {
  const ways = {
    streamed: async (message: string) => (await api.streamedChat(project, message)).textMs,
    json: (message: string) => timed(() => api.chat(project, message)),
    query: (message: string) => timed(() => queryIndex(api, project, message)),
  };
  const took = { streamed: [] as number[], json: [] as number[], query: [] as number[] };
  const names = Object.keys(ways) as (keyof typeof ways)[];
  for (const [i, message] of asked.slice(0, 150).entries()) {
    // The second measurement finds the passages in the processor's caches, so each kind is measured first equally often.
    for (let turn = 0; turn < names.length; turn++) {
      const name = names[(i + turn) % names.length] as keyof typeof ways;
      took[name].push(await ways[name](message));
    }
  }
  const [streamed, json, query] = names.map((name) => percentile(took[name], 0.5)) as [number, number, number];
  console.log(
    `chat p50: streamed ${streamed.toFixed(1)} ms to the end of its text, as JSON and saved ${json.toFixed(1)} ms (${(json / query).toFixed(2)}×); a query of the index ${query.toFixed(1)} ms`,
  );
  report('chat without a model / its slowest dependency', streamed / query, 1.3, '×');
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

async function queryIndex(api: Api, project: string, query: string): Promise<void> {
  const response = await fetch(`${system.urlOf('chroma')}/query`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-internal-token': SAMPLE_SERVICE_TOKEN, 'x-user-id': api.userId },
    body: JSON.stringify({ project_id: project, query, limit: CHAT_PASSAGES }),
  });
  await response.arrayBuffer();
  if (!response.ok) throw new Error(`a query was answered ${response.status}`);
}

function report(what: string, value: number, limit: number, unit: string): void {
  const holds = value <= limit;
  failed ||= !holds;
  console.log(`${holds ? 'holds ' : 'BROKEN'} ${what}: ${value.toFixed(2)}${unit} (limit ${limit}${unit})`);
}
