// A collection indexed with the ranking code of the servers, in memory: no HTTP, and exact nearest neighbours in place of ChromaDB.
import { certaintyOf, fused } from '../dist/downstream/chroma/server/searching/fusion.js';
import { capturedByLsa, embedLsa, trainLsa } from '../dist/downstream/chroma/server/embedding/lsa-model.js';
import { openDatabase, transaction } from '../dist/storage/sqlite.js';
import { analyseDocument } from '../dist/text/analysed-document.js';
import type { LsaModel } from '../src/downstream/chroma/server/embedding/lsa-model.js';
import type { LexicalImage, Ranked } from '../src/text/lexical-image.js';
import { LEXICAL_LANGUAGES_MIGRATION, LEXICAL_MIGRATION, LexicalIndex } from '../dist/text/lexical-index.js';
import { allowedPassages, exactFirst, rankByWords, usualTerms, withFeedback } from '../dist/text/lexical-search.js';
import { conceptsOf, parseQuery } from '../dist/text/query.js';
import { titleOf } from '../dist/text/title.js';

export interface Document {
  path: string;
  text: string;
  mediaType?: string;
}

/** The paths of the documents, best first, as each way of searching ranks them. */
export interface Rankings {
  full: string[];
  fulltext: string[];
  vector: string[];
}

const KEY = { userId: 'bench', projectId: 'bench' };
const CANDIDATES = 300;
/** As in the chroma server: fewer passages teach nothing. */
const MIN_TRAINING_PASSAGES = 200;

export class IndexedCollection {
  private readonly vectors = new Map<number, Float32Array>();
  private model: LsaModel | undefined;
  private readonly documents = new Map<number, string>();
  private readonly index: LexicalIndex;
  private readonly image: LexicalImage;

  private constructor(index: LexicalIndex, image: LexicalImage) {
    this.index = index;
    this.image = image;
  }

  static async of(documents: readonly Document[]): Promise<IndexedCollection> {
    const db = openDatabase(':memory:', [LEXICAL_MIGRATION, LEXICAL_LANGUAGES_MIGRATION]);
    const index = new LexicalIndex(db);
    const added: { id: number; path: string; terms: string[] }[] = [];
    for (const { path, text, mediaType = 'text/markdown' } of documents) {
      const analysed = await analyseDocument({ path, title: titleOf(path, text, mediaType), text, mediaType });
      for (const { id, passage } of transaction(db, () => index.put(KEY, analysed)).added) {
        added.push({ id, path, terms: [...passage.titleTerms, ...passage.terms] });
      }
    }
    const collection = new IndexedCollection(index, await index.image(KEY));
    collection.learn(added);
    return collection;
  }

  private learn(passages: readonly { id: number; path: string; terms: string[] }[]): void {
    if (passages.length >= MIN_TRAINING_PASSAGES) this.model = trainLsa(passages.map(({ terms }) => terms));
    for (const { id, path, terms } of passages) {
      this.documents.set(id, path);
      if (this.model !== undefined) this.vectors.set(id, embedLsa(this.model, terms));
    }
  }

  get passages(): number {
    return this.documents.size;
  }

  async search(text: string): Promise<Rankings> {
    const { index, image } = this;
    const query = parseQuery(text);
    const concepts = conceptsOf(query, image);
    const allowed = allowedPassages(index, KEY, image, query);
    const byWords = image.rank(concepts, CANDIDATES, allowed).ranked;
    const known = usualTerms(concepts, image);
    const meaning = this.nearest(known);
    const captured = this.model === undefined ? 0 : capturedByLsa(this.model, known);
    const both = fused({ words: byWords, meaning, captured }, () =>
      withFeedback(index, KEY, image, concepts, byWords, allowed),
    );
    const fulltext = await rankByWords(index, KEY, query, CANDIDATES);
    return {
      full: this.paths(exactFirst(image, concepts, both)),
      fulltext: this.paths(fulltext),
      vector: this.paths(meaning),
    };
  }

  private nearest(terms: readonly string[]): Ranked[] {
    if (this.model === undefined) return [];
    const direction = embedLsa(this.model, terms);
    return [...this.vectors]
      .map(([id, vector]) => ({ id, score: dot(direction, vector) }))
      .sort((a, b) => b.score - a.score)
      .slice(0, CANDIDATES)
      .filter(({ score }) => score > 0)
      .map(({ id, score }) => ({ id, score: score * certaintyOf(this.image.distinctTerms(id)) }))
      .sort((a, b) => b.score - a.score);
  }

  private paths(ranked: readonly Ranked[]): string[] {
    return [...new Set(ranked.map(({ id }) => this.documents.get(id) as string))];
  }
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number);
  return sum;
}
