import type { Element, ElementContent, Root, RootContent, Text } from 'hast';

export interface Range {
  start: number;
  end: number;
}

/** Puts what stands at a range of the source into `<mark>`. */
export function rehypeMark({ range }: { range: Range | undefined }) {
  return (tree: Root) => {
    if (range !== undefined) markIn(tree, range);
  };
}

function markIn(node: Root | Element, range: Range): void {
  const children: RootContent[] = node.children;
  node.children = children.flatMap((child): RootContent[] => {
    if (child.type === 'text') return marked(child, range);
    if (child.type === 'element') markIn(child, range);
    return [child];
  });
}

function marked(node: Text, { start, end }: Range): ElementContent[] {
  const from = node.position?.start.offset;
  const to = node.position?.end.offset;
  if (from === undefined || to === undefined || to <= start || from >= end || node.value.trim() === '') return [node];
  // Characters that the source escapes make the lengths differ: then the whole text node is marked.
  const exact = to - from === node.value.length;
  const cut = exact ? Math.max(0, start - from) : 0;
  const until = exact ? Math.min(node.value.length, end - from) : node.value.length;
  const pieces: ElementContent[] = [
    { type: 'text', value: node.value.slice(0, cut) },
    {
      type: 'element',
      tagName: 'mark',
      properties: {},
      children: [{ type: 'text', value: node.value.slice(cut, until) }],
    },
    { type: 'text', value: node.value.slice(until) },
  ];
  return pieces.filter((piece) => piece.type !== 'text' || piece.value !== '');
}
