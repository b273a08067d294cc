import type { Page } from '../../extracted.ts';

/** Joins words that are hyphenated at the end of a line; a compound such as `state-of-the-art` keeps its hyphens. */
export function joinHyphenated(pages: readonly Page[]): Page[] {
  const words = pages.flatMap(({ text }) => text.split(/\s+/).filter((word) => word.includes('-')));
  const compounds = new Set(words.map(lettersOf));
  return pages.map(({ page, text }) => ({ page, text: joinLines(text, compounds) }));
}

function joinLines(text: string, compounds: ReadonlySet<string>): string {
  const lines = text.split('\n');
  for (let at = lines.length - 2; at >= 0; at--) {
    const [line, next] = [lines[at] as string, lines[at + 1] as string];
    if (!/\p{L}[-\u00ad\u2010]$/u.test(line) || !/^\p{Ll}/u.test(next)) continue;
    const start = line.slice(line.lastIndexOf(' ') + 1, -1);
    const compound = `${start}-${next.split(' ', 1)[0]}`;
    const keepsHyphen = start.includes('-') || compounds.has(lettersOf(compound));
    lines.splice(at, 2, (keepsHyphen ? `${line.slice(0, -1)}-` : line.slice(0, -1)) + next);
  }
  return lines.join('\n');
}

const lettersOf = (word: string) => word.replaceAll(/[^\p{L}-]/gu, '');
