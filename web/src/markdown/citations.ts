import type { Nodes, Parents, PhrasingContent, Root } from 'mdast';

const CITATION = /\[(\d{1,3}(?:\s*[,;–-]\s*\d{1,3})*)\]/g;
export const PASSAGE = '#passage-';

/** Makes `[1]`, `[1, 3]` and `[1-3]` in an answer links to its passages 1 to `count`; other numbers stay as they are. */
export function remarkCitations({ count }: { count: number }) {
  return (tree: Root) => {
    if (count > 0) linkIn(tree, count);
  };
}

function linkIn(node: Parents, count: number): void {
  const children: Nodes[] = node.children;
  node.children = children.flatMap((child): Nodes[] => {
    if (child.type === 'text') return linked(child.value, count);
    if ('children' in child && child.type !== 'link') linkIn(child, count);
    return [child];
  }) as typeof node.children;
}

function linked(text: string, count: number): PhrasingContent[] {
  const parts: PhrasingContent[] = [];
  let end = 0;
  for (const match of text.matchAll(CITATION)) {
    const numbers = numbersIn(match[1] ?? '');
    if (numbers.length === 0 || numbers.some((number) => number < 1 || number > count)) continue;
    if (match.index > end) parts.push({ type: 'text', value: text.slice(end, match.index) });
    for (const number of numbers) {
      const children = [{ type: 'text' as const, value: String(number) }];
      parts.push({ type: 'link', url: `${PASSAGE}${number}`, children });
    }
    end = match.index + match[0].length;
  }
  if (end < text.length) parts.push({ type: 'text', value: text.slice(end) });
  return parts;
}

/** `1, 3-5`: 1, 3, 4 and 5. */
function numbersIn(list: string): number[] {
  return list.split(/[,;]/).flatMap((part) => {
    const [from = NaN, to = from] = part.split(/[–-]/).map(Number);
    return to - from < 100 ? Array.from({ length: to - from + 1 }, (_, step) => from + step) : [];
  });
}
