// The baseline: textbook BM25 over whole documents, independent of the code under test.

const K1 = 1.2;
const B = 0.75;
const UNSPACED = /\p{Script=Han}|\p{Script=Hiragana}|\p{Script=Katakana}|\p{Script=Thai}/u;

export class PlainBm25 {
  private readonly postings = new Map<string, Map<string, number>>();
  private readonly lengths = new Map<string, number>();
  private totalLength = 0;

  add(id: string, title: string, text: string): void {
    const words = [...wordsOf(title), ...wordsOf(title), ...wordsOf(text)];
    this.lengths.set(id, words.length);
    this.totalLength += words.length;
    for (const word of words) {
      const holding = this.postings.get(word) ?? new Map<string, number>();
      this.postings.set(word, holding.set(id, (holding.get(id) ?? 0) + 1));
    }
  }

  /** The ids, best first. */
  search(query: string): string[] {
    const scores = new Map<string, number>();
    const average = this.totalLength / this.lengths.size;
    for (const word of wordsOf(query)) {
      const holding = this.postings.get(word) ?? new Map<string, number>();
      const idf = Math.log(1 + (this.lengths.size - holding.size + 0.5) / (holding.size + 0.5));
      for (const [id, frequency] of holding) {
        const length = (this.lengths.get(id) as number) / average;
        const gain = (idf * frequency * (K1 + 1)) / (frequency + K1 * (1 - B + B * length));
        scores.set(id, (scores.get(id) ?? 0) + gain);
      }
    }
    return [...scores].sort((a, b) => b[1] - a[1]).map(([id]) => id);
  }
}

/** Words in lower case without an English plural's s; pairs of characters where a script puts no spaces. */
function wordsOf(text: string): string[] {
  return (text.toLowerCase().match(/[\p{L}\p{N}\p{M}]+/gu) ?? []).flatMap((word) => {
    if (!UNSPACED.test(word)) return word.length > 3 ? word.replace(/s$/, '') : word;
    const characters = [...word];
    return characters.length === 1 ? characters : characters.slice(1).map((second, i) => `${characters[i]}${second}`);
  });
}
