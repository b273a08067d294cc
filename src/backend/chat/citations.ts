/** The longest thing that may still become a citation: a bracket and up to three digits. */
const OPEN = /\[\d{0,3}$/;

/** Lets a model's text through as it comes, without the citations that point to no passage. */
export class CitationFilter {
  private held = '';

  /** @param passages how many there are: `[1]` to `[passages]` are good */
  constructor(private readonly passages: number) {}

  /** What of the text so far can be shown. */
  push(text: string): string {
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
    return text.replace(/ ?\[(\d{1,3})\](?!\()/g, (citation, number: string) => {
      const index = Number(number);
      return index >= 1 && index <= this.passages ? citation : '';
    });
  }
}
