export interface Block {
  text: string;
  /** Where it begins in the whole text, in UTF-16 code units. */
  start: number;
}

const FENCE = /^ {0,3}(`{3,}|~{3,}|\$\$)/;
/** A line that goes on with what stood before the empty line above it: an item of a list, or something below one. */
const CONTINUES = /^(\s+\S|[-*+] |\d{1,9}[.)] )/;

/**
 * A Markdown text cut at empty lines outside of code, maths and lists. Each block means the same by itself as in the whole,
 * so that while a text grows only its last block is parsed again.
 */
export function blocksOf(text: string): Block[] {
  const blocks: Block[] = [];
  let start = 0;
  let place = 0;
  let fence: string | undefined;
  let emptyBefore = false;
  let inList = false;
  for (const line of text.split(/(?<=\n)/)) {
    const opened = FENCE.exec(line)?.[1];
    const empty = line.trim() === '';
    if (fence === undefined && emptyBefore && !empty && !(inList && CONTINUES.test(line))) {
      blocks.push({ text: text.slice(start, place), start });
      start = place;
      inList = false;
    }
    if (fence === undefined && !empty && /^([-*+] |\d{1,9}[.)] )/.test(line)) inList = true;
    if (fence === undefined) fence = opened === '$$' && line.trim().length > 2 ? undefined : opened;
    else if (opened?.startsWith(fence) && line.trim().length <= opened.length) fence = undefined;
    emptyBefore = empty && fence === undefined;
    place += line.length;
  }
  if (place > start) blocks.push({ text: text.slice(start), start });
  return blocks;
}
