import { type ShownTurn, textOf } from './message.ts';

/** The name of the highlight in the styles. */
const HIGHLIGHT = 'found';

/** In lower case and of the same length: the small form of a few letters is longer. */
function plain(text: string): string {
  const lower = text.toLowerCase();
  if (lower.length === text.length) return lower;
  return text.replace(/[\s\S]/g, (unit) => (unit.toLowerCase().length === 1 ? unit.toLowerCase() : unit));
}

/** Markdown without the signs that are not shown. */
const shown = (text: string) => plain(text.replace(/[*_`]/g, ''));

/** The numbers of the turns whose question or answer has these words next to each other. */
export function turnsWith(turns: readonly ShownTurn[], words: string): number[] {
  const wanted = plain(words.trim());
  if (wanted === '') return [];
  return turns.flatMap(({ question, answer }, index) => {
    const texts = [textOf(question), ...(answer === undefined ? [] : [textOf(answer)])];
    return texts.some((text) => plain(text).includes(wanted) || shown(text).includes(wanted)) ? [index] : [];
  });
}

/** Where the words stand below an element; they may begin in one element and end in another, as with a bold half. */
function rangesIn(place: Element, words: string): Range[] {
  const walker = document.createTreeWalker(place, NodeFilter.SHOW_TEXT);
  const nodes: { node: Node; start: number }[] = [];
  let text = '';
  for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
    nodes.push({ node, start: text.length });
    text += node.textContent ?? '';
  }
  const wanted = plain(words.trim());
  const all = plain(text);
  const spotOf = (offset: number) => nodes.findLast(({ start }) => start <= offset);
  const ranges: Range[] = [];
  for (let at = all.indexOf(wanted); at >= 0 && wanted !== ''; at = all.indexOf(wanted, at + wanted.length)) {
    const [first, last] = [spotOf(at), spotOf(at + wanted.length - 1)];
    if (first === undefined || last === undefined) break;
    const range = new Range();
    range.setStart(first.node, at - first.start);
    range.setEnd(last.node, at + wanted.length - last.start);
    ranges.push(range);
  }
  return ranges;
}

/** Marks the words below an element, without changing it. @returns the first place; undefined where there is none */
export function highlight(place: Element | null, words: string): Range | undefined {
  const ranges = place === null ? [] : rangesIn(place, words);
  if ('highlights' in CSS) CSS.highlights.set(HIGHLIGHT, new Highlight(...ranges));
  return ranges[0];
}

export function clearHighlight(): void {
  if ('highlights' in CSS) CSS.highlights.delete(HIGHLIGHT);
}
