// Compares all kinds of search over every collection of a folder, in this process: npm run eval -- --all DIR [--random | --model DIR | --embeddings URL]
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ndcg, readDataset } from './beir.ts';
import type { Embedder } from '../src/downstream/chroma/server/embedding/embedder.js';
import { IndexedCollection } from './in-process.ts';
import { needles } from './needles.ts';
import { PlainBm25 } from './plain-bm25.ts';

const WAYS = ['full', 'fulltext', 'vector', 'plain'] as const;
type Figures = Record<(typeof WAYS)[number], number>;

/**
 * Prints nDCG@10 for each collection; grades above 0 count as 1.
 * @param embedder replaces the built-in one
 */
export async function evaluateAll(dir: string, embedder: Embedder | undefined): Promise<void> {
  console.log('collection        passages     full  full text  vectors  plain BM25');
  for (const name of readdirSync(dir).filter((name) => !name.includes('.'))) {
    const { passages, figures } = await evaluateOne(join(dir, name), embedder);
    const [full, fulltext, vector, plain] = WAYS.map((way) => figures[way].toFixed(3));
    const row = [name.padEnd(17), String(passages).padStart(8), full?.padStart(8), fulltext?.padStart(10)];
    console.log([...row, vector?.padStart(8), plain?.padStart(11)].join(' '));
  }
  for (const { name, questions, first, amongSix } of await needles(embedder)) {
    console.log(`${name}: first ${first} of ${questions}, among six ${amongSix} of ${questions}`);
  }
}

async function evaluateOne(
  dir: string,
  embedder: Embedder | undefined,
): Promise<{ passages: number; figures: Figures }> {
  const { documents, queries, relevant } = readDataset(dir);
  const pathOf = (index: number) => `document-${index}.md`;
  const idOf = new Map(documents.map(({ id }, index) => [pathOf(index), id]));
  const collection = await IndexedCollection.of(
    documents.map(({ title, text }, i) => ({ path: pathOf(i), text: title === '' ? text : `# ${title}\n\n${text}` })),
    embedder,
  );
  const plain = new PlainBm25();
  for (const { id, title, text } of documents) plain.add(id, title, text);
  const sums: Figures = { full: 0, fulltext: 0, vector: 0, plain: 0 };
  for (const { id, text } of queries) {
    const grades = relevant.get(id) as Map<string, number>;
    const found = await collection.search(text);
    const ranking = (paths: readonly string[]) => paths.map((path) => idOf.get(path) as string);
    const rankings = {
      full: ranking(found.full),
      fulltext: ranking(found.fulltext),
      vector: ranking(found.vector),
      plain: plain.search(text),
    };
    for (const way of WAYS) sums[way] += ndcg(rankings[way], grades, 10, (grade) => Math.min(1, grade));
  }
  const mean = (way: keyof Figures) => sums[way] / queries.length;
  return {
    passages: collection.passages,
    figures: { full: mean('full'), fulltext: mean('fulltext'), vector: mean('vector'), plain: mean('plain') },
  };
}
