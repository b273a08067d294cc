import type { RootContent } from 'hast';
import { common, createLowlight } from 'lowlight';
import { Fragment, type ReactNode, useMemo } from 'react';

const lowlight = createLowlight(common);

/** Code with its words in colours, made of elements, never of HTML. */
export default function Highlighted({ text, language }: { text: string; language: string }) {
  const nodes = useMemo(
    () => (lowlight.registered(language) ? lowlight.highlight(language, text).children : undefined),
    [text, language],
  );
  return <>{nodes === undefined ? text : nodes.map(shown)}</>;
}

function shown(node: RootContent, key: number): ReactNode {
  if (node.type === 'text') return <Fragment key={key}>{node.value}</Fragment>;
  if (node.type !== 'element') return null;
  const names = node.properties['className'];
  return (
    <span key={key} className={Array.isArray(names) ? names.join(' ') : undefined}>
      {node.children.map(shown)}
    </span>
  );
}
