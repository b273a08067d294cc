import { Suspense, useCallback, useState } from 'react';
import type { ChatSource } from '../api/shapes.ts';
import { t } from '../texts/en.ts';
import { AnswerActions, type AnswerActionsProps } from './AnswerActions.tsx';
import { DegradedLine } from './DegradedLine.tsx';
import { type ChatMessage, degradationOf, sourcesOf, textOf, thoughtsOf } from './message.ts';
import { lazily } from '../layout/lazily.ts';

const MarkdownText = lazily(() => import('../markdown/MarkdownText.tsx'));

export function Answer({
  message,
  growing,
  onPassage,
  ...actions
}: {
  message: ChatMessage;
  growing: boolean;
  onPassage: (source: ChatSource, number: number) => void;
} & Omit<AnswerActionsProps, 'text'>) {
  const text = textOf(message);
  const sources = useSameItems(sourcesOf(message));
  const { state, finish_reason: end } = message.metadata ?? {};
  const thoughts = thoughtsOf(message);
  const open = useCallback(
    (number: number) => {
      const source = sources[number - 1];
      if (source !== undefined) onPassage(source, number);
    },
    [sources, onPassage],
  );
  const renderCitation = useCallback(
    (number: number) => <Citation number={number} source={sources[number - 1]} onOpen={open} />,
    [sources, open],
  );
  return (
    <article className="answer" aria-label={t.chat.answer} aria-busy={growing}>
      <DegradedLine degradation={degradationOf(message)} kind="answer" />
      {thoughts !== '' && (
        <details className="thoughts small soft">
          <summary>{t.chat.thoughts}</summary>
          <p className="answer-plain">{thoughts}</p>
        </details>
      )}
      <Suspense fallback={<p className="answer-plain">{text}</p>}>
        <MarkdownText text={text} growing={growing} citations={sources.length} renderCitation={renderCitation} />
      </Suspense>
      {(end === 'length' || end === 'content_filter') && <p className="state-line">{t.chat[end]}</p>}
      {state === 'partial' && end !== 'length' && end !== 'content_filter' && (
        <p className="state-line">{t.chat.partial}</p>
      )}
      {state === 'failed' && <p className="state-line">{text === '' ? t.chat.failed : t.chat.failedPart}</p>}
      {!growing && sources.length > 0 && <Sources sources={sources} text={text} onOpen={open} />}
      {!growing && <AnswerActions message={message} text={text} {...actions} />}
    </article>
  );
}

/** Returns the earlier list where its items are the same, so that complete paragraphs are not parsed again. */
function useSameItems<T>(items: T[]): T[] {
  const [kept, setKept] = useState(items);
  const same = kept.length === items.length && kept.every((item, index) => item === items[index]);
  if (!same) setKept(items);
  return same ? kept : items;
}

function Citation({
  number,
  source,
  onOpen,
}: {
  number: number;
  source: ChatSource | undefined;
  onOpen: (number: number) => void;
}) {
  const name = source?.title === '' || source === undefined ? (source?.document ?? '') : source.title;
  return (
    <button className="citation number" aria-label={t.chat.citation(number, name)} onClick={() => onOpen(number)}>
      {number}
    </button>
  );
}

/** Those the answer cites, or all where it cites none, behind one line. */
function Sources({ sources, text, onOpen }: { sources: ChatSource[]; text: string; onOpen: (number: number) => void }) {
  const [all, setAll] = useState(false);
  const cited = new Set([...text.matchAll(/\[([\d,;\s–-]+)\]/g)].flatMap(([, list]) => (list ?? '').split(/[^\d]+/)));
  const numbered = sources.map((source, index) => ({ source, number: index + 1 }));
  const shown = all ? numbered : numbered.filter(({ number }) => cited.has(String(number)));
  return (
    <div className="sources">
      <ul className="plain-list">
        {shown.map(({ source, number }) => (
          <li key={number}>
            <button className="source" onClick={() => onOpen(number)}>
              <span className="source-number number">{number}</span>
              <span className="source-name">
                {source.title || source.document}
                <span className="soft">
                  {' '}
                  {source.document}
                  {source.page !== undefined && `, ${t.chat.page(source.page)}`}
                </span>
              </span>
            </button>
          </li>
        ))}
      </ul>
      {shown.length < numbered.length && (
        <button className="button button-quiet button-small" onClick={() => setAll(true)}>
          {t.chat.sources(numbered.length)}
        </button>
      )}
    </div>
  );
}
