/** A word that may be incomplete at the end of a text. The scripts left out are written without spaces. */
const LAST_WORD =
  /(?<![\p{L}\p{N}_'’\-])[[\p{L}\p{N}_'’\-]--[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]]{1,40}$/v;
const BEGINS_WITH_WORD = /^[\p{L}\p{N}]/u;

/** A text without an incomplete last word, from which another model continues. */
export function wholeWords(text: string): string {
  return text.replace(LAST_WORD, '');
}

/**
 * Passes the text of a second model through, which continues where `textSoFar` was cut, without the part that it repeats. A
 * model cannot be told to continue within a word, so it may repeat the last word, its sentence, or all of the text.
 */
export class Continuation {
  private held = '';
  private joined = false;

  constructor(private readonly textSoFar: string) {}

  /** The new part of the text so far; empty while all of it may be a repetition. */
  push(text: string): string {
    if (this.joined) return text;
    this.held += text;
    const begun = this.held.trimStart();
    return begun === '' || this.textSoFar.includes(begun) ? '' : this.join();
  }

  /** The rest of the text. */
  end(): string {
    return this.joined ? '' : this.join();
  }

  private join(): string {
    this.joined = true;
    const { textSoFar, held } = this;
    const begun = held.trimStart();
    const repeated = longestRepetition(textSoFar, begun);
    if (repeated > 0) return begun.slice(repeated);
    if (/\s$/.test(textSoFar)) return begun;
    // The model did not repeat the last word, so that word was complete.
    return LAST_WORD.test(textSoFar) && BEGINS_WITH_WORD.test(held) ? ` ${held}` : held;
  }
}

/**
 * The length of the longest beginning of `text` that is also the end of `textSoFar`, starting at the beginning of a word.
 */
function longestRepetition(textSoFar: string, text: string): number {
  for (let length = Math.min(textSoFar.length, text.length); length > 0; length--) {
    const at = textSoFar.length - length;
    if (
      textSoFar.endsWith(text.slice(0, length)) &&
      !/[\p{L}\p{N}]{2}/u.test(textSoFar.slice(Math.max(0, at - 1), at + 1))
    ) {
      return length;
    }
  }
  return 0;
}
