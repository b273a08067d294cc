/** Collects text with collapsed white space, lines and paragraphs. */
export class TextWriter {
  /** White space is kept unchanged while this is above 0. */
  preformatted = 0;
  private readonly parts: string[] = [];
  private isEmpty = true;
  private breaks = 0;
  private space = false;
  private prefix = '';

  /** Ensures at least this many line ends before the next text. */
  break(lines: number): void {
    if (lines === 0) return;
    this.breaks = Math.max(this.breaks, lines);
    this.space = false;
  }

  newline(): void {
    this.breaks = Math.min(this.breaks + 1, 2);
    this.space = false;
  }

  /**
   * Sets the mark before the next text. The empty mark removes one that got no text, such as that of an empty heading.
   */
  begin(mark: string): void {
    this.prefix = mark;
  }

  /** Soft hyphens are invisible and would split words. */
  text(raw: string): void {
    const text = raw.replaceAll('\u00ad', '');
    if (this.preformatted > 0) {
      if (text !== '') this.put(text);
      return;
    }
    const words = text.replaceAll(/[ \t\n\r\f]+/g, ' ');
    const trimmed = words.trim();
    if (words.startsWith(' ') || (trimmed === '' && words !== '')) this.space = true;
    if (trimmed !== '') this.put(words.replace(/^ /, '').replace(/ $/, ''));
    if (words.endsWith(' ')) this.space = true;
  }

  line(text: string): void {
    this.break(1);
    this.put(text);
    this.break(1);
  }

  block(text: string): void {
    if (text === '') return;
    this.break(2);
    this.put(text);
    this.break(2);
  }

  result(): string {
    return this.parts.join('').trim();
  }

  private put(text: string): void {
    if (!this.isEmpty && this.breaks > 0) this.parts.push('\n'.repeat(this.breaks));
    else if (!this.isEmpty && this.space) this.parts.push(' ');
    this.parts.push(this.prefix, text);
    this.isEmpty = false;
    this.breaks = 0;
    this.space = false;
    this.prefix = '';
  }
}
