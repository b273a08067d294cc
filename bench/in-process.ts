// A collection indexed with the ranking code of the servers, in memory: no HTTP, and exact nearest neighbours in place of ChromaDB.
import { certaintyOf, fused } from '../dist/downstream/chroma/server/searching/fusion.js';
import { capturedByLsa, embedLsa, trainLsa } from '../dist/downstream/chroma/server/embedding/lsa-model.js';
import { openDatabase, transaction } from '../dist/storage/sqlite.js';
import { analyseDocument } from '../dist/text/analysed-document.js';
import type { Embedder } from '../dist/downstream/chroma/server/embedding/embedder.js';
import type { LsaModel } from '../dist/downstream/chroma/server/embedding/lsa-model.js';
import type { LexicalImage, Ranked } from '../dist/text/lexical-image.js';
import { LEXICAL_MIGRATIONS, LexicalIndex } from '../dist/text/lexical-index.js';
import { allowedPassages, exactFirst, rankByWords, usualTerms, withFeedback } from '../dist/text/lexical-search.js';
import { conceptsOf, coverageOf, parseQuery } from '../dist/text/query.js';
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

interface Passage {
  id: number;
  path: string;
  title: string;
  text: string;
  terms: string[];
}

const KEY = { userId: 'bench', projectId: 'bench' };
const CANDIDATES = 300;
/** As in the chroma server: fewer passages are too few for training. */
const MIN_TRAINING_PASSAGES = 200;

export class IndexedCollection {
  private readonly vectors = new Map<number, Float32Array>();
  private model: LsaModel | undefined;
  private readonly documents = new Map<number, string>();
  private readonly index: LexicalIndex;
  private readonly image: LexicalImage;

  private readonly pretrained: Embedder | undefined;

  private constructor(index: LexicalIndex, image: LexicalImage, pretrained: Embedder | undefined) {
    this.index = index;
    this.image = image;
    this.pretrained = pretrained;
  }

  /** @param pretrained replaces the built-in embedder */
  static async of(documents: readonly Document[], pretrained?: Embedder): Promise<IndexedCollection> {
    const db = openDatabase(':memory:', LEXICAL_MIGRATIONS);
    const index = new LexicalIndex(db);
    const added: Passage[] = [];
    for (const { path, text, mediaType = 'text/markdown' } of documents) {
      const analysed = await analyseDocument({ path, title: titleOf(path, text, mediaType), text, mediaType });
      for (const { id, passage } of transaction(db, () => index.put(KEY, analysed)).added) {
        const { title, text: said, titleTerms, terms } = passage;
        added.push({ id, path, title, text: said, terms: [...titleTerms, ...terms] });
      }
    }
    const collection = new IndexedCollection(index, await index.image(KEY), pretrained);
    await collection.learn(added);
    return collection;
  }

  private async learn(passages: readonly Passage[]): Promise<void> {
    const { pretrained } = this;
    if (pretrained === undefined && passages.length >= MIN_TRAINING_PASSAGES)
      this.model = trainLsa(passages.map(({ terms }) => terms));
    const made = await pretrained?.embed(passages);
    for (const [i, { id, path, terms }] of passages.entries()) {
      this.documents.set(id, path);
      const vector = made?.[i] ?? (this.model && embedLsa(this.model, terms));
      if (vector !== undefined) this.vectors.set(id, vector);
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
    const meaning = this.nearest(await this.directionOf(query.text, known));
    const captured = this.model === undefined ? 0 : capturedByLsa(this.model, known);
    const coverage = this.pretrained === undefined ? undefined : coverageOf(query, image);
    const both = fused({ words: byWords, meaning, captured, coverage, passages: this.passages }, () =>
      withFeedback(index, KEY, image, concepts, byWords, allowed),
    );
    const fulltext = await rankByWords(index, KEY, query, CANDIDATES);
    return {
      full: this.paths(exactFirst(image, concepts, both)),
      fulltext: this.paths(fulltext),
      vector: this.paths(meaning),
    };
  }

  private directionOf(text: string, terms: readonly string[]): Promise<Float32Array> | Float32Array | undefined {
    if (this.pretrained !== undefined) return this.pretrained.embedQuestion({ title: '', text, terms }, Infinity);
    return this.model && embedLsa(this.model, terms);
  }

  private nearest(direction: Float32Array | undefined): Ranked[] {
    if (direction === undefined) return [];
    const certainty = (id: number) => (this.pretrained ? 1 : certaintyOf(this.image.distinctTerms(id)));
    return [...this.vectors]
      .map(([id, vector]) => ({ id, score: dot(direction, vector) }))
      .sort((a, b) => b.score - a.score)
      .slice(0, CANDIDATES)
      .filter(({ score }) => score > 0)
      .map(({ id, score }) => ({ id, score: score * certainty(id) }))
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
