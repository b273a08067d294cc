// Measures search against judgements of relevance. Through the public API of a whole system:
//   npm run eval -- --data DIR [--model DIR | --url URL --email E --password P]
// and, much faster, with the ranking code alone over every collection of a folder:
//   npm run eval -- --all DIR [--random | --model DIR | --embeddings URL]
import { resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Api, inParallel, percentile } from './api.ts';
import { embedderOf } from './eval-embedders.ts';
import { type Dataset, ndcg, readDataset, recall } from './beir.ts';
import { evaluateAll } from './eval-all.ts';
import { Caudex } from '../test/system/caudex.ts';

const UPLOADS_AT_ONCE = 8;
const PAGE = 100;
const RECALL_DEPTH = 100;
/** The built-in embedder is trained after two seconds without a write. */
const REST_MS = 8000;

const { values } = parseArgs({
  options: {
    data: { type: 'string' },
    all: { type: 'string' },
    random: { type: 'boolean', default: false },
    model: { type: 'string' },
    embeddings: { type: 'string' },
    url: { type: 'string' },
    email: { type: 'string' },
    password: { type: 'string' },
  },
});
if (values.all !== undefined) {
  await evaluateAll(values.all, embedderOf(values));
  process.exit();
}
if (values.data === undefined) {
  console.error(
    'usage: npm run eval -- --all DIR [--random | --model DIR | --embeddings URL] | --data DIR [--model DIR | --url URL [--email ADDRESS --password PASSWORD]]',
  );
  process.exit(2);
}

const dataset = readDataset(values.data);
console.log(`${dataset.documents.length} documents, ${dataset.queries.length} judged queries`);
const model: Record<string, string> = values.model === undefined ? {} : { EMBEDDINGS_MODEL_DIR: resolve(values.model) };
const system = values.url === undefined ? await Caudex.start(model, { quick: false }) : undefined;
try {
  const { email, password } = values;
  const account = email === undefined || password === undefined ? undefined : { email, password };
  const api = await Api.signIn(values.url ?? (system as Caudex).url, account);
  const project = await api.createProject('Evaluation');
  const idOf = await upload(api, project, dataset);
  console.log('\nmode            nDCG@10  graded  Recall@100   p50 ms   p95 ms  source');
  await evaluate('full', api, project, idOf, 'hybrid');
  await evaluate('vector alone', api, project, idOf, 'vector');
  await evaluate('full text alone', api, project, idOf, 'fulltext');
  if (system === undefined) {
    console.log('Chroma killed   (not with --url: this script does not stop what it has not started)');
    await api.deleteProject(project);
  } else {
    await system.kill('chroma');
    await evaluate('Chroma killed', api, project, idOf, 'hybrid');
  }
} finally {
  await system?.stop();
}

/** Uploads the corpus; resolves to the id of each path. */
async function upload(api: Api, project: string, { documents }: Dataset): Promise<Map<string, string>> {
  const startedAt = performance.now();
  const idOf = new Map<string, string>();
  let queued = 0;
  await inParallel(documents, UPLOADS_AT_ONCE, async ({ id, title, text }, index) => {
    const path = `document-${index}.md`;
    idOf.set(path, id);
    const done = await api.putDocument(project, path, title === '' ? text : `# ${title}\n\n${text}`);
    if (!done) queued++;
  });
  console.log(
    `uploaded in ${((performance.now() - startedAt) / 1000).toFixed(1)} s; ${queued} were still queued for the index`,
  );
  await wait(REST_MS);
  while ((await api.stalePassages(project)) > 0) await wait(1000);
  console.log(`embedded after ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
  return idOf;
}

async function evaluate(
  name: string,
  api: Api,
  project: string,
  idOf: ReadonlyMap<string, string>,
  mode: string,
): Promise<void> {
  const sums = { binary: 0, graded: 0, recall: 0 };
  const latencies: number[] = [];
  const sources = new Set<string>();
  for (const query of dataset.queries) {
    const grades = dataset.relevant.get(query.id) as Map<string, number>;
    const startedAt = performance.now();
    const { source } = await api.search({ project_id: project, query: query.text, limit: 10, mode });
    latencies.push(performance.now() - startedAt);
    sources.add(source);
    const ranking = await rankingOf(api, project, query.text, idOf, mode);
    sums.binary += ndcg(ranking, grades, 10, (grade) => Math.min(1, grade));
    sums.graded += ndcg(ranking, grades, 10, (grade) => grade);
    sums.recall += recall(ranking, grades, RECALL_DEPTH);
  }
  const mean = (sum: number, width: number) => (sum / dataset.queries.length).toFixed(3).padStart(width);
  const ms = (share: number) => percentile(latencies, share).toFixed(1).padStart(9);
  console.log(
    `${name.padEnd(15)} ${mean(sums.binary, 7)} ${mean(sums.graded, 7)} ${mean(sums.recall, 11)}${ms(0.5)}${ms(0.95)}  ${[...sources].join(', ')}`,
  );
}

/** The documents by their best passage. */
async function rankingOf(
  api: Api,
  project: string,
  query: string,
  idOf: ReadonlyMap<string, string>,
  mode: string,
): Promise<string[]> {
  const ranking = new Set<string>();
  for (let offset = 0; ranking.size < RECALL_DEPTH && offset < 5 * PAGE; offset += PAGE) {
    const { results } = await api.search({ project_id: project, query, limit: PAGE, offset, mode });
    for (const { document } of results) ranking.add(idOf.get(document) ?? document);
    if (results.length < PAGE) break;
  }
  return [...ranking];
}
