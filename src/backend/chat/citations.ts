/** An end of the text that may still become a citation, or a longer run of backticks. */
const OPEN = /(?:(?<!`)`{1,64}| ?\[[\d\s,;–-]{0,40}| )$/;
/** A citation of one or several passages, a run of backticks, or the end of a paragraph. */
const MARK = /( ?)\[(\d{1,3}(?:\s{0,9}[,;–-]\s{0,9}\d{1,3})*)\](?!\()|`+|\n\s*\n/g;

/** After a word without a space the bracket belongs to a name, as in `items[0]`. */
const WORD_END = /[\p{L}\p{N}_)]$/u;

/**
 * Passes a model's text through as it arrives, without the citations that refer to no passage. Code is not changed:
 * `[0]` in it is not a citation.
 */
export class CitationFilter {
  private held = '';
  /** The last character that was passed on. */
  private last = '';
  /** The backticks that opened the code; empty outside of code. */
  private code = '';

  /** @param passages the number of passages: `[1]` to `[passages]` are valid; null: there was no retrieval */
  constructor(private readonly passages: number | null) {}

  /** The part of the text so far that can be passed on. */
  push(text: string): string {
    // Without a retrieval, a number in brackets is part of the text.
    if (this.passages === null) return text;
    const all = this.held + text;
    const open = OPEN.exec(all);
    this.held = open === null ? '' : all.slice(open.index);
    return this.clean(open === null ? all : all.slice(0, open.index));
  }

  /** The rest of the text. */
  end(): string {
    const rest = this.held;
    this.held = '';
    return rest;
  }

  private clean(text: string): string {
    const shown = text.replace(MARK, (mark, blank: string | undefined, numbers: string | undefined, at: number) => {
      if (numbers !== undefined) {
        const isIndex = blank === '' && WORD_END.test(at === 0 ? this.last : text.slice(at - 1, at));
        return this.code === '' && !isIndex ? this.cite(mark, blank ?? '', numbers) : mark;
      }
      if (mark.startsWith('`')) this.code = this.code === '' ? mark : this.code === mark ? '' : this.code;
      // Code between single backticks never spans paragraphs: the backtick was a plain character.
      else if (this.code.length < 3) this.code = '';
      return mark;
    });
    if (text !== '') this.last = text.slice(-1);
    return shown;
  }

  private cite(mark: string, blank: string, numbers: string): string {
    const parts = numbers.split(/\s{0,9}[,;]\s{0,9}/);
    const good = parts.filter((part) =>
      part.split(/\s{0,9}[–-]\s{0,9}/).every((number) => this.exists(Number(number))),
    );
    if (good.length === parts.length) return mark;
    return good.length === 0 ? '' : `${blank}[${good.join(', ')}]`;
  }

  private exists(number: number): boolean {
    return number >= 1 && number <= (this.passages ?? 0);
  }
}
