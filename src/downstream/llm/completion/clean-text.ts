/**
 * Makes a model's text storable: NUL characters are left out, a surrogate pair that is cut between two events is put
 * together again, and half a pair becomes U+FFFD.
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
