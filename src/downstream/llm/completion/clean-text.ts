/**
 * Makes a model's text storable: removes NUL characters, joins a surrogate pair that is split between two events, and
 * replaces a lone surrogate by U+FFFD.
 */
export class CleanText {
  private high = '';

  push(text: string): string {
    let all = this.high + text;
    this.high = '';
    const last = all.charCodeAt(all.length - 1);
    if (last >= 0xd800 && last <= 0xdbff) {
      this.high = all.slice(-1);
      all = all.slice(0, -1);
    }
    return all.replaceAll('\0', '').toWellFormed();
  }

  end(): string {
    const rest = this.high.toWellFormed();
    this.high = '';
    return rest;
  }
}
