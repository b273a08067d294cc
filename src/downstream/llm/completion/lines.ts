/** Splits a text that arrives in pieces at LF, CRLF and CR. */
export class Lines {
  private pieces: string[] = [];
  private pendingChars = 0;
  private endedWithCr = false;

  /** The length of the line that has not ended yet. */
  get openChars(): number {
    return this.pendingChars;
  }

  /** The lines that end in this piece, without their ends. */
  push(text: string): string[] {
    // The LF of a CRLF that is split between two pieces.
    const rest = this.endedWithCr && text.startsWith('\n') ? text.slice(1) : text;
    if (text !== '') this.endedWithCr = text.endsWith('\r');
    const lines = rest.split(/\r\n|\r|\n/);
    const open = lines.pop() as string;
    if (lines.length > 0) lines[0] = this.take() + (lines[0] as string);
    this.pieces.push(open);
    this.pendingChars += open.length;
    return lines;
  }

  /** The last line, which lacks its end. */
  take(): string {
    const line = this.pieces.join('');
    this.pieces = [];
    this.pendingChars = 0;
    return line;
  }
}
