import { isValidElement, memo, type ReactNode, Suspense, useMemo } from 'react';
import Markdown, { type Components } from 'react-markdown';
import { t } from '../texts/en.ts';
import { blocksOf } from './blocks.ts';
import { PASSAGE, remarkCitations } from './citations.ts';
import { useClosedEnds } from './closed-ends.ts';
import { CodeBlock } from './CodeBlock.tsx';
import { type Range, rehypeMark } from './mark.ts';
import { remarkSyntax } from './syntax.ts';
import './markdown.css';
import { lazily } from '../layout/lazily.ts';

const Maths = lazily(() => import('./Maths.tsx'));

interface MarkdownTextProps {
  text: string;
  /** The text still grows: what is open at its end is closed for display. */
  growing?: boolean;
  /** How many passages `[1]` and the like may name. */
  citations?: number;
  renderCitation?: (number: number) => ReactNode;
  /** What to mark, in UTF-16 code units of the text. */
  range?: Range | undefined;
  /** A link to somewhere else in the project. */
  renderLink?: (href: string, children: ReactNode) => ReactNode;
}

/** Markdown as React elements. Raw HTML is shown as text, and nothing is fetched: a stored text never runs. */
export default function MarkdownText({ text, growing = false, range, ...rest }: MarkdownTextProps) {
  const blocks = useMemo(() => blocksOf(text), [text]);
  const close = useClosedEnds(growing);
  return (
    <div className="markdown">
      {blocks.map((block, index) => (
        <BlockText
          key={block.start}
          text={index === blocks.length - 1 ? close(block.text) : block.text}
          start={range === undefined ? undefined : range.start - block.start}
          end={range === undefined ? undefined : range.end - block.start}
          {...rest}
        />
      ))}
    </div>
  );
}

interface BlockTextProps extends Pick<MarkdownTextProps, 'text' | 'citations' | 'renderCitation' | 'renderLink'> {
  start: number | undefined;
  end: number | undefined;
}

const BlockText = memo(function BlockText({
  text,
  citations = 0,
  renderCitation,
  renderLink,
  start,
  end,
}: BlockTextProps) {
  const overlaps = start !== undefined && end !== undefined && end > 0 && start < text.length;
  const components: Components = {
    ...PARTS,
    a: ({ href = '', children }) => {
      if (href.startsWith(PASSAGE)) return renderCitation?.(Number(href.slice(PASSAGE.length))) ?? children;
      if (/^https?:/.test(href)) {
        return (
          <a href={href} target="_blank" rel="noreferrer">
            {children}
          </a>
        );
      }
      return renderLink?.(href, children) ?? <>{children}</>;
    },
  };
  return (
    <Markdown
      remarkPlugins={[remarkSyntax, [remarkCitations, { count: citations }]]}
      rehypePlugins={overlaps ? [[rehypeMark, { range: { start, end } }]] : []}
      components={components}
    >
      {overlaps ? text : text.replace(FORMULA, '$$$$\n$1\n$$$$')}
    </Markdown>
  );
});

/** A formula on a line of its own, as most models write it; remark-math takes it for one within a line. */
const FORMULA = /^\$\$([^$\n]+)\$\$$/gm;

const PARTS: Components = {
  // The picture would come from another host, or from a file that is no document.
  img: ({ alt, src }) => <span className="soft">[{alt === '' || alt === undefined ? String(src ?? '') : alt}]</span>,
  table: ({ children }) => (
    // A wide table scrolls by itself; so that a keyboard can do it, it takes the focus.
    // eslint-disable-next-line jsx-a11y-x/no-noninteractive-tabindex -- see above
    <div className="table-scroll" tabIndex={0} role="group" aria-label={t.reading.table}>
      <table>{children}</table>
    </div>
  ),
  // An empty corner of a table is no header of anything.
  th: ({ children, style }) => {
    const isEmpty = children === undefined || children === null || children === '';
    return isEmpty ? <td style={style} /> : <th style={style}>{children}</th>;
  },
  input: ({ checked }) => <input type="checkbox" checked={checked ?? false} readOnly aria-label={t.reading.task} />,
  pre: ({ children }) => <>{children}</>,
  code: ({ className = '', children }) => {
    const content = plainText(children);
    const text = content.replace(/\n$/, '');
    if (className.includes('language-math')) {
      return (
        <Suspense fallback={<code>{text}</code>}>
          <Maths text={text} display={className.includes('math-display')} />
        </Suspense>
      );
    }
    const language = /language-(\S+)/.exec(className)?.[1];
    const isBlock = language !== undefined || content.includes('\n');
    return isBlock ? <CodeBlock text={text} language={language} /> : <code>{children}</code>;
  },
};

/** The text of elements: a marked passage may begin within code, and an empty block has no children. */
function plainText(node: ReactNode): string {
  if (Array.isArray(node)) return node.map(plainText).join('');
  if (isValidElement<{ children?: ReactNode }>(node)) return plainText(node.props.children);
  return typeof node === 'string' || typeof node === 'number' ? String(node) : '';
}
