/** What may still become a citation, or a longer row of backticks. */
const OPEN = /(?:(?<!`)`{1,64}| ?\[[\d\s,;–-]{0,40}| )$/;
/** A citation of one or several passages, a row of backticks, or the end of a paragraph. */
const MARK = /( ?)\[(\d{1,3}(?:\s{0,9}[,;–-]\s{0,9}\d{1,3})*)\](?!\()|`+|\n\s*\n/g;

/** Before a bracket without a blank: the bracket belongs to a name, as in `items[0]`. */
const WORD_END = /[\p{L}\p{N}_)]$/u;

/**
 * Lets a model's text through as it comes, without the citations that point to no passage. Code is left alone: there
 * `[0]` is no citation.
 */
export class CitationFilter {
  private held = '';
  /** The last character that was shown. */
  private last = '';
  /** The backticks that the code began with; empty outside code. */
  private code = '';

  /** @param passages how many there are: `[1]` to `[passages]` are good; null: none were looked for */
  constructor(private readonly passages: number | null) {}

  /** What of the text so far can be shown. */
  push(text: string): string {
    // Where no passages were looked for, a number in brackets is part of the text.
    if (this.passages === null) return text;
    const all = this.held + text;
    const open = OPEN.exec(all);
    this.held = open === null ? '' : all.slice(open.index);
    return this.clean(open === null ? all : all.slice(0, open.index));
  }

  /** The rest. */
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
      // Code between single backticks never goes on in another paragraph: that backtick stood for itself.
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
