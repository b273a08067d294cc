import { Suspense, useEffect, useMemo, useRef } from 'react';
import { Link } from '@tanstack/react-router';
import { Loading } from '../layout/Problems.tsx';
import type { Range } from '../markdown/mark.ts';
import { resolvePath } from './paths.ts';
import { lazily } from '../layout/lazily.ts';

const MarkdownText = lazily(() => import('../markdown/MarkdownText.tsx'));

/** A longer Markdown text is shown as plain text: parsing it would hold up the page. */
const MAX_MARKDOWN_CHARS = 400_000;
const CHUNK_LINES = 200;

/** A document's text with one passage marked and scrolled to. */
export function DocumentText({
  project,
  path,
  text,
  markdown,
  range,
}: {
  project: string;
  path: string;
  text: string;
  markdown: boolean;
  range: Range | undefined;
}) {
  const place = useRef<HTMLDivElement>(null);
  const start = range?.start;
  useEffect(() => {
    if (start === undefined || place.current === null) return;
    const container = place.current;
    // The text may come a moment later, with its own chunk of the page.
    const show = () => {
      const mark = container.querySelector('mark');
      mark?.scrollIntoView({ block: 'center' });
      return mark !== null;
    };
    if (show()) return;
    const watch = new MutationObserver(() => show() && watch.disconnect());
    watch.observe(container, { childList: true, subtree: true });
    return () => watch.disconnect();
  }, [start, text]);

  return (
    <div ref={place} className="document-text">
      {markdown && text.length <= MAX_MARKDOWN_CHARS ? (
        <Suspense fallback={<Loading lines={8} />}>
          <MarkdownText
            text={text}
            range={range}
            renderLink={(href, children) => {
              const target = resolvePath(path, href);
              return target === undefined ? null : (
                <Link to="/p/$project/documents/read/$" params={{ project, _splat: target }}>
                  {children}
                </Link>
              );
            }}
          />
        </Suspense>
      ) : (
        <PlainText text={text} range={range} />
      )}
    </div>
  );
}

/** In pieces, so that the browser lays out only those in sight. */
function PlainText({ text, range }: { text: string; range: Range | undefined }) {
  const chunks = useMemo(() => chunksOf(text), [text]);
  return (
    <div className="plain-text">
      {chunks.map(({ start, text: piece }) => {
        const from = Math.max(0, (range?.start ?? 0) - start);
        const to = Math.min(piece.length, (range?.end ?? 0) - start);
        return (
          <pre key={start}>
            {from < to ? (
              <>
                {piece.slice(0, from)}
                <mark>{piece.slice(from, to)}</mark>
                {piece.slice(to)}
              </>
            ) : (
              piece
            )}
          </pre>
        );
      })}
    </div>
  );
}

function chunksOf(text: string): { start: number; text: string }[] {
  const chunks: { start: number; text: string }[] = [];
  const lines = text.split(/(?<=\n)/);
  let start = 0;
  for (let line = 0; line < lines.length; line += CHUNK_LINES) {
    const piece = lines.slice(line, line + CHUNK_LINES).join('');
    chunks.push({ start, text: piece });
    start += piece.length;
  }
  return chunks;
}
