import { Suspense } from 'react';
import { CopyButton } from '../layout/CopyButton.tsx';
import { lazily } from '../layout/lazily.ts';

const Highlighted = lazily(() => import('./Highlighted.tsx'));

/** Longer code is shown without colours: colouring it would hold up the page. */
const MAX_COLOURED_CHARS = 20_000;

export function CodeBlock({ text, language }: { text: string; language?: string | undefined }) {
  const coloured = language !== undefined && text.length <= MAX_COLOURED_CHARS;
  return (
    <div className="code-block">
      <div className="code-head small soft">
        <span>{language}</span>
        <CopyButton text={text} />
      </div>
      {/* eslint-disable-next-line jsx-a11y-x/no-noninteractive-tabindex -- wide code is scrolled by keyboard too */}
      <pre tabIndex={0}>
        <code>
          {coloured ? (
            <Suspense fallback={text}>
              <Highlighted text={text} language={language} />
            </Suspense>
          ) : (
            text
          )}
        </code>
      </pre>
    </div>
  );
}
