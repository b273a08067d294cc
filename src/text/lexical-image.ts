import { type Fingerprint, hash } from './fingerprint.js';
import { STOP_WORDS } from './stop-words.js';

/** Usual middle values from Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond" (2009). */
const K1 = 1.2;
const B = 0.75;
/** How many times a word of the title counts (the simple form of BM25F, same source). */
const TITLE_WEIGHT = 2;
const MAX_FREQUENCY = 255;
/** The most combining marks that one character of a pair may carry. */
const MAX_MARKS = 6;
const MAX_PAIRS = 200;

interface Postings {
  /** `slot * 256 + frequency`, growing. */
  entries: number[];
  /** How many present passages hold the term. */
  passages: number;
}

export interface Ranked {
  id: number;
  score: number;
}

/** A part of a query: the terms that stand for it, and its weight. */
export interface Concept {
  terms: readonly string[];
  weight: number;
  /** The words as typed; absent for a derived concept. */
  words?: readonly string[];
  /** Whether no passage holds the typed word, so that these are similar terms. */
  isGuess?: boolean;
}

/** A passage as it is indexed. */
export interface Indexed {
  language: string;
  titleTerms: readonly string[];
  terms: readonly string[];
  /** Terms that also find the passage but do not count towards its length. */
  extras: readonly string[];
  fingerprint: Fingerprint;
}

/** The postings of one project in memory, ranked by BM25 over title and text. */
export class LexicalImage {
  private readonly postings = new Map<string, Postings>();
  private readonly slots = new Map<number, number>();
  private readonly ids: number[] = [];
  /** Weighted length by slot; 0 where the passage was removed. */
  private readonly lengths: number[] = [];
  private readonly distinct: number[] = [];
  private readonly marks: { fingerprint: Fingerprint; numbers: number }[] = [];
  private totalLength = 0;
  private readonly languageCounts = new Map<string, number>();
  private scores = new Float32Array(0);
  /** Term frequencies of one concept, by slot; all 0 between uses. */
  private frequencies = new Uint8Array(0);

  get passages(): number {
    return this.slots.size;
  }

  /** The share of removed passages in the image. */
  get waste(): number {
    return this.ids.length === 0 ? 0 : 1 - this.slots.size / this.ids.length;
  }

  all(): Iterable<number> {
    return this.slots.keys();
  }

  has(id: number): boolean {
    return this.slots.has(id);
  }

  add(id: number, { language, titleTerms, terms, extras, fingerprint }: Indexed): void {
    const slot = this.ids.push(id) - 1;
    this.slots.set(id, slot);
    const length = Math.max(1, telling(terms) + TITLE_WEIGHT * telling(titleTerms));
    this.lengths.push(length);
    this.totalLength += length;
    const counts = frequenciesOf(titleTerms, terms, extras);
    this.distinct.push(counts.size);
    this.marks.push({ fingerprint, numbers: numbersOf(terms) });
    for (const [term, frequency] of counts) {
      let postings = this.postings.get(term);
      if (postings === undefined) this.postings.set(term, (postings = { entries: [], passages: 0 }));
      postings.entries.push(slot * 256 + Math.min(frequency, MAX_FREQUENCY));
      postings.passages++;
    }
    this.languageCounts.set(language, (this.languageCounts.get(language) ?? 0) + 1);
  }

  /** Removes a passage, which must be given exactly as it was added. */
  remove(id: number, { language, titleTerms, terms, extras }: Indexed): void {
    const slot = this.slots.get(id);
    if (slot === undefined) return;
    this.slots.delete(id);
    this.totalLength -= this.lengths[slot] as number;
    this.lengths[slot] = 0;
    this.languageCounts.set(language, (this.languageCounts.get(language) ?? 1) - 1);
    for (const term of new Set([...titleTerms, ...terms, ...extras])) {
      const postings = this.postings.get(term);
      if (postings !== undefined && --postings.passages <= 0) this.postings.delete(term);
    }
  }

  /** How many passages hold a term. */
  frequency(term: string): number {
    return this.postings.get(term)?.passages ?? 0;
  }

  /** How many different terms a passage has; 0 where it was removed. */
  distinctTerms(id: number): number {
    return this.distinct[this.slots.get(id) ?? -1] ?? 0;
  }

  /** The languages of the passages, the most frequent first. */
  languages(): string[] {
    return [...this.languageCounts]
      .filter(([, count]) => count > 0)
      .sort((a, b) => b[1] - a[1])
      .map(([language]) => language);
  }

  /** The share of the passages that are in one of these languages. */
  shareOf(languages: ReadonlySet<string>): number {
    let count = 0;
    for (const language of languages) count += this.languageCounts.get(language) ?? 0;
    return count / Math.max(1, this.slots.size);
  }

  /** The terms of two characters that a character is part of, as scripts without spaces are indexed. */
  pairsWith(character: string): string[] {
    const found: string[] = [];
    for (const term of this.postings.keys()) {
      if (term.length <= 2 * character.length + MAX_MARKS && term.includes(character)) found.push(term);
      if (found.length === MAX_PAIRS) break;
    }
    return found;
  }

  /** The terms of at least this many characters. */
  *longWords(minChars: number): Generator<string> {
    for (const [term, { passages }] of this.postings) if (term.length >= minChars && passages > 0) yield term;
  }

  /** What distinguishes a passage from its near-duplicates; undefined where it was removed. */
  mark(id: number): { fingerprint: Fingerprint; numbers: number } | undefined {
    const slot = this.slots.get(id);
    return slot === undefined ? undefined : this.marks[slot];
  }

  /** Inverse document frequency of the concept that the terms stand for; 0 where no passage holds any of them. */
  idf(terms: string | readonly string[]): number {
    const holding =
      typeof terms === 'string'
        ? this.frequency(terms)
        : Math.min(
            this.slots.size,
            terms.reduce((sum, term) => sum + this.frequency(term), 0),
          );
    return holding === 0 ? 0 : Math.log(1 + (this.slots.size - holding + 0.5) / (holding + 0.5));
  }

  /** The ids of the passages that hold at least one term of every list. */
  holding(all: readonly (readonly string[])[]): number[] {
    let left: Set<number> | undefined;
    for (const terms of all) {
      const here = new Set<number>();
      for (const term of terms) {
        for (const entry of this.postings.get(term)?.entries ?? []) {
          const slot = entry >> 8;
          if (this.lengths[slot] !== 0 && (left === undefined || left.has(slot))) here.add(slot);
        }
      }
      left = here;
    }
    return [...(left ?? [])].map((slot) => this.ids[slot] as number);
  }

  /** The best `limit` passages (among the `allowed`), best first, and how many hold any of the concepts. */
  rank(
    concepts: readonly Concept[],
    limit: number,
    allowed?: ReadonlySet<number>,
  ): { ranked: Ranked[]; total: number } {
    const scores = this.scored(concepts);
    const found: Ranked[] = [];
    let best = 0;
    for (let slot = 0; slot < this.ids.length; slot++) {
      const score = scores[slot] as number;
      const id = this.ids[slot] as number;
      if (score === 0 || allowed?.has(id) === false) continue;
      found.push({ id, score });
      if (score > best) best = score;
    }
    const floor = found.length > limit ? floorOf(found, best, limit) : 0;
    const ranked = this.withCoverage(
      concepts,
      found.filter(({ score }) => score >= floor),
    ).sort((a, b) => b.score - a.score || a.id - b.id);
    return { ranked: ranked.slice(0, limit), total: found.length };
  }

  /**
   * Multiplies each score by a power of the share of the query that the passage covers. For a query of two words, a
   * passage that holds only one of them is not relevant, however often it holds it; for ten words, most good passages
   * lack some.
   */
  private withCoverage(concepts: readonly Concept[], ranked: Ranked[]): Ranked[] {
    const weights = concepts.map(({ terms, weight }) => weight * this.idf(terms));
    const all = weights.reduce((sum, weight) => sum + weight, 0);
    const equalWords = all ** 2 / weights.reduce((sum, weight) => sum + weight ** 2, 0);
    const power = Math.min(1, (FEW_WORDS / equalWords) ** 2);
    if (!(power >= MIN_COVERAGE_POWER)) return ranked;
    const held = new Map(ranked.map(({ id }) => [this.slots.get(id) as number, 0]));
    for (const [i, { terms }] of concepts.entries()) {
      for (const slot of this.slotsHolding(terms)) {
        const before = held.get(slot);
        if (before !== undefined) held.set(slot, before + (weights[i] as number));
      }
    }
    return ranked.map(({ id, score }) => {
      const share = (held.get(this.slots.get(id) as number) as number) / all;
      return { id, score: score * Math.min(1, share) ** power };
    });
  }

  private slotsHolding(terms: readonly string[]): Set<number> {
    return new Set(terms.flatMap((term) => (this.postings.get(term)?.entries ?? []).map((entry) => entry >> 8)));
  }

  private scored(concepts: readonly Concept[]): Float32Array {
    if (this.scores.length < this.ids.length) {
      this.scores = new Float32Array(this.ids.length * 2);
      this.frequencies = new Uint8Array(this.ids.length * 2);
    } else {
      this.scores.fill(0);
    }
    for (const { terms, weight } of concepts) {
      const gain = weight * this.idf(terms) * (K1 + 1);
      const [first, ...others] = terms.flatMap((term) => {
        const entries = this.postings.get(term)?.entries;
        return entries === undefined ? [] : [entries];
      });
      if (first !== undefined) this.addScores(others.length === 0 ? first : this.merged([first, ...others]), gain);
    }
    return this.scores;
  }

  private addScores(entries: readonly number[], gain: number): void {
    const { scores, lengths } = this;
    const average = this.totalLength / Math.max(1, this.slots.size);
    for (const entry of entries) {
      const slot = entry >> 8;
      const length = lengths[slot] as number;
      if (length === 0) continue;
      const frequency = entry & 255;
      scores[slot] =
        (scores[slot] as number) + (gain * frequency) / (frequency + K1 * (1 - B + (B * length) / average));
    }
  }

  /** Merges the entries of several terms. A word may be indexed under two of them: the larger frequency counts. */
  private merged(lists: readonly (readonly number[])[]): number[] {
    const { frequencies } = this;
    const slots: number[] = [];
    for (const entries of lists) {
      for (const entry of entries) {
        const slot = entry >> 8;
        if (frequencies[slot] === 0) slots.push(slot);
        frequencies[slot] = Math.max(frequencies[slot] as number, entry & 255);
      }
    }
    return slots.map((slot) => {
      const entry = slot * 256 + (frequencies[slot] as number);
      frequencies[slot] = 0;
      return entry;
    });
  }
}

/** A number that differs for passages that differ in their terms with digits. */
function numbersOf(terms: readonly string[]): number {
  let numbers = 0;
  for (const term of terms) if (/\d/.test(term)) numbers = hash(term, numbers);
  return numbers;
}

/** How many of the terms are not stop words. */
function telling(terms: readonly string[]): number {
  let count = 0;
  for (const term of terms) if (!STOP_WORDS.has(term)) count++;
  return count;
}

function frequenciesOf(
  titleTerms: readonly string[],
  terms: readonly string[],
  extras: readonly string[],
): Map<string, number> {
  const counts = new Map<string, number>();
  for (const term of terms) counts.set(term, (counts.get(term) ?? 0) + 1);
  for (const term of titleTerms) counts.set(term, (counts.get(term) ?? 0) + TITLE_WEIGHT);
  for (const term of extras) counts.set(term, (counts.get(term) ?? 0) + 1);
  return counts;
}

/** Up to this many words of equal weight, coverage counts in full; with three times as many, hardly. */
const FEW_WORDS = 2;
const MIN_COVERAGE_POWER = 0.03;

const BINS = 1024;

/** A score that at least `limit` passages reach, found by counting, so that only those need to be sorted. */
function floorOf(found: readonly Ranked[], best: number, limit: number): number {
  const counts = new Uint32Array(BINS + 1);
  for (const { score } of found) counts[Math.floor((BINS * score) / best)]!++;
  let bin = BINS;
  for (let reached = counts[bin]!; reached < limit && bin > 0;) reached += counts[--bin]!;
  return (best * bin) / BINS;
}
