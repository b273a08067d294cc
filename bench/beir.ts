import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Dataset {
  documents: { id: string; title: string; text: string }[];
  queries: { id: string; text: string }[];
  /** Query → document → grade; only grades above 0 are kept. */
  relevant: Map<string, Map<string, number>>;
}

/** Reads a folder in BEIR layout. @throws Error that names the file and the line that are invalid */
export function readDataset(dir: string): Dataset {
  const qrels = ['qrels.tsv', 'qrels/test.tsv'].map((name) => join(dir, name)).find((file) => existsSync(file));
  if (qrels === undefined) throw new Error(`${dir}: neither qrels.tsv nor qrels/test.tsv is there`);
  const relevant = new Map<string, Map<string, number>>();
  for (const line of linesOf(qrels).slice(1)) {
    const [query, document, grade] = line.split('\t');
    if (query === undefined || document === undefined || !Number.isFinite(Number(grade))) {
      throw new Error(`${qrels}: "${line}" is not "query-id, corpus-id, score" between tabs`);
    }
    if (Number(grade) <= 0) continue;
    const judged = relevant.get(query) ?? new Map<string, number>();
    relevant.set(query, judged.set(document, Number(grade)));
  }
  const queries = records(join(dir, 'queries.jsonl')).map(({ id, text }) => ({ id, text }));
  return {
    documents: records(join(dir, 'corpus.jsonl')),
    queries: queries.filter(({ id }) => relevant.has(id)),
    relevant,
  };
}

function records(file: string): { id: string; title: string; text: string }[] {
  return linesOf(file).map((line, index) => {
    try {
      const { _id, title, text } = JSON.parse(line) as { _id: string; title?: string; text: string };
      if (typeof _id !== 'string' || typeof text !== 'string') throw new Error('"_id" and "text" are needed');
      return { id: _id, title: title ?? '', text };
    } catch (error) {
      throw new Error(`${file}, line ${index + 1}: ${(error as Error).message}`, { cause: error });
    }
  });
}

function linesOf(file: string): string[] {
  return readFileSync(file, 'utf8')
    .split(/\r?\n/)
    .filter((line) => line.trim() !== '');
}

/** Normalised discounted cumulative gain of the first `depth` documents, the gain of each given by its grade. */
export function ndcg(
  ranking: readonly string[],
  grades: ReadonlyMap<string, number>,
  depth: number,
  gain: (grade: number) => number,
): number {
  const discounted = (gains: readonly number[]) =>
    gains.slice(0, depth).reduce((sum, value, i) => sum + value / Math.log2(i + 2), 0);
  const ideal = [...grades.values()].map(gain).sort((a, b) => b - a);
  return discounted(ranking.map((id) => gain(grades.get(id) ?? 0))) / discounted(ideal);
}

export function recall(ranking: readonly string[], grades: ReadonlyMap<string, number>, depth: number): number {
  return ranking.slice(0, depth).filter((id) => grades.has(id)).length / grades.size;
}
