/** A word that the end of a text may have cut. The scripts left out are written without spaces. */
const LAST_WORD =
  /(?<![\p{L}\p{N}_'’\-])[[\p{L}\p{N}_'’\-]--[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]]{1,40}$/v;
const BEGINS_WITH_WORD = /^[\p{L}\p{N}]/u;

/** The part of a cut text that ends with a whole word: what another model is asked to go on from. */
export function wholeWords(text: string): string {
  return text.replace(LAST_WORD, '');
}

/**
 * Lets a second model's text through, which goes on where `said` was cut, without what it repeats of it: nobody can
 * be told to begin at a letter, so the last word may come once more, or its sentence, or all of it.
 */
export class Continuation {
  private held = '';
  private joined = false;

  constructor(private readonly said: string) {}

  /** What is new of the text so far; nothing as long as it may all be a repetition. */
  push(text: string): string {
    if (this.joined) return text;
    this.held += text;
    const begun = this.held.trimStart();
    return begun === '' || this.said.includes(begun) ? '' : this.join();
  }

  /** The rest. */
  end(): string {
    return this.joined ? '' : this.join();
  }

  private join(): string {
    this.joined = true;
    const { said, held } = this;
    const begun = held.trimStart();
    const repeated = longestRepetition(said, begun);
    if (repeated > 0) return begun.slice(repeated);
    if (/\s$/.test(said)) return begun;
    // It did not take up the last word, so that word was whole.
    return LAST_WORD.test(said) && BEGINS_WITH_WORD.test(held) ? ` ${held}` : held;
  }
}

/** How much of the beginning of `text` is the end of `said`, from the beginning of a word on. */
function longestRepetition(said: string, text: string): number {
  for (let length = Math.min(said.length, text.length); length > 0; length--) {
    const at = said.length - length;
    if (said.endsWith(text.slice(0, length)) && !/[\p{L}\p{N}]{2}/u.test(said.slice(Math.max(0, at - 1), at + 1))) {
      return length;
    }
  }
  return 0;
}
