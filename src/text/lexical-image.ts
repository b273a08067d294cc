/** Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond" (2009): the usual middle values. */
const K1 = 1.2;
const B = 0.75;
/** A word of the title counts as often as this in the text (the simple form of BM25F, same source). */
const TITLE_WEIGHT = 2;
const MAX_FREQUENCY = 255;

interface Postings {
  /** `slot * 256 + frequency`, growing. */
  entries: number[];
  /** How many living passages hold the term. */
  passages: number;
}

export interface Ranked {
  id: number;
  score: number;
}

/** The postings of one project in memory, ranked by BM25 over title and text. */
export class LexicalImage {
  private readonly postings = new Map<string, Postings>();
  private readonly slots = new Map<number, number>();
  private readonly ids: number[] = [];
  /** Weighted length by slot; 0 where the passage is gone. */
  private readonly lengths: number[] = [];
  private readonly distinct: number[] = [];
  private totalLength = 0;
  private scores = new Float32Array(0);

  get passages(): number {
    return this.slots.size;
  }

  /** How much of the image is passages that are gone. */
  get waste(): number {
    return this.ids.length === 0 ? 0 : 1 - this.slots.size / this.ids.length;
  }

  has(id: number): boolean {
    return this.slots.has(id);
  }

  add(id: number, titleTerms: readonly string[], textTerms: readonly string[]): void {
    const slot = this.ids.push(id) - 1;
    this.slots.set(id, slot);
    const length = Math.max(1, textTerms.length + TITLE_WEIGHT * titleTerms.length);
    this.lengths.push(length);
    this.totalLength += length;
    const counts = frequencies(titleTerms, textTerms);
    this.distinct.push(counts.size);
    for (const [term, frequency] of counts) {
      let postings = this.postings.get(term);
      if (postings === undefined) this.postings.set(term, (postings = { entries: [], passages: 0 }));
      postings.entries.push(slot * 256 + Math.min(frequency, MAX_FREQUENCY));
      postings.passages++;
    }
  }

  /** `terms` are those it was added with. */
  remove(id: number, terms: readonly string[]): void {
    const slot = this.slots.get(id);
    if (slot === undefined) return;
    this.slots.delete(id);
    this.totalLength -= this.lengths[slot] as number;
    this.lengths[slot] = 0;
    for (const term of new Set(terms)) {
      const postings = this.postings.get(term);
      if (postings !== undefined && --postings.passages <= 0) this.postings.delete(term);
    }
  }

  /** In how many passages a term stands. */
  frequency(term: string): number {
    return this.postings.get(term)?.passages ?? 0;
  }

  /** How many different terms a passage has; 0 where it is gone. */
  distinctTerms(id: number): number {
    return this.distinct[this.slots.get(id) ?? -1] ?? 0;
  }

  /** Inverse document frequency; above 0 for every term, and 0 for one that no passage holds. */
  idf(term: string): number {
    const holding = this.frequency(term);
    return holding === 0 ? 0 : Math.log(1 + (this.slots.size - holding + 0.5) / (holding + 0.5));
  }

  /** The ids of the passages that hold all of the terms. */
  holding(terms: readonly string[]): number[] {
    let left: Set<number> | undefined;
    for (const term of new Set(terms)) {
      const here = new Set<number>();
      for (const entry of this.postings.get(term)?.entries ?? []) {
        const slot = entry >> 8;
        if (this.lengths[slot] !== 0 && (left === undefined || left.has(slot))) here.add(slot);
      }
      left = here;
    }
    return [...(left ?? [])].map((slot) => this.ids[slot] as number);
  }

  /** The best `limit` passages (of the `allowed`) for weighted terms, best first, and how many hold any of them. */
  rank(
    weights: ReadonlyMap<string, number>,
    limit: number,
    allowed?: ReadonlySet<number>,
  ): { ranked: Ranked[]; total: number } {
    const scores = this.scored(weights);
    const best = new BestOf(limit);
    let total = 0;
    for (let slot = 0; slot < this.ids.length; slot++) {
      const score = scores[slot] as number;
      const id = this.ids[slot] as number;
      if (score === 0 || allowed?.has(id) === false) continue;
      total++;
      best.offer(id, score);
    }
    return { ranked: best.sorted(), total };
  }

  private scored(weights: ReadonlyMap<string, number>): Float32Array {
    if (this.scores.length < this.ids.length) this.scores = new Float32Array(this.ids.length * 2);
    else this.scores.fill(0);
    const { scores, lengths } = this;
    const average = this.totalLength / Math.max(1, this.slots.size);
    for (const [term, weight] of weights) {
      const postings = this.postings.get(term);
      if (postings === undefined) continue;
      const gain = weight * this.idf(term) * (K1 + 1);
      for (const entry of postings.entries) {
        const slot = entry >> 8;
        const length = lengths[slot] as number;
        if (length === 0) continue;
        const frequency = entry & 255;
        scores[slot] =
          (scores[slot] as number) + (gain * frequency) / (frequency + K1 * (1 - B + (B * length) / average));
      }
    }
    return scores;
  }
}

function frequencies(titleTerms: readonly string[], textTerms: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const term of textTerms) counts.set(term, (counts.get(term) ?? 0) + 1);
  for (const term of titleTerms) counts.set(term, (counts.get(term) ?? 0) + TITLE_WEIGHT);
  return counts;
}

/** Keeps the best of what it is offered; equal scores in the order of their ids. */
class BestOf {
  private kept: Ranked[] = [];
  private floor = 0;

  constructor(private readonly limit: number) {}

  offer(id: number, score: number): void {
    if (score < this.floor) return;
    this.kept.push({ id, score });
    // Sorting once in a while is as good as a heap and shorter.
    if (this.kept.length >= 4 * this.limit + 64) {
      this.kept = this.sorted();
      this.floor = this.kept.at(-1)?.score ?? 0;
    }
  }

  sorted(): Ranked[] {
    return this.kept.sort((a, b) => b.score - a.score || a.id - b.id).slice(0, this.limit);
  }
}
